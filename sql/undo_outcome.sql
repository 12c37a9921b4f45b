-- Purpose: whether a rollback was committed whose COMMIT was not answered: journal lines are noted as undone by this run, or
--          none is.
-- Index: none; the journal is read once. Locks: the lines (shared), until ROLLBACK. Rows: 1.
SELECT CAST(COUNT(*) AS UNSIGNED) AS line_count
FROM {ledger}.am_row_change
WHERE undone_by = ?
LOCK IN SHARE MODE
