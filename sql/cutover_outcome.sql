-- Purpose: whether a transaction was committed whose COMMIT was not answered: its journal lines are there, or they are not.
-- Index: by_row. Locks: those lines (shared), until ROLLBACK. Rows: 1.
SELECT CAST(COUNT(*) AS UNSIGNED) AS line_count
FROM {ledger}.am_row_change
WHERE run = ? AND part BETWEEN ? AND ?
LOCK IN SHARE MODE
