-- Purpose: whether a transaction was committed whose COMMIT was not answered: its journal lines are there, or they are not.
-- Index: primary keys; the journal is read from the first of these lines on. Locks: those lines (shared), until ROLLBACK. Rows: 1.
SELECT CAST(COUNT(*) AS UNSIGNED) AS line_count
FROM {ledger}.am_row_change
WHERE id >= (SELECT MIN(first_id) FROM {ledger}.am_part WHERE run = ? AND part BETWEEN ? AND ?)
  AND run = ? AND part BETWEEN ? AND ?
LOCK IN SHARE MODE
