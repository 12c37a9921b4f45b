-- Purpose: how many rows have moved and were not rolled back; not if that takes more than 5 seconds.
-- Index: none; the journal is read once. Locks: none. Rows: 1.
SET STATEMENT max_statement_time = 5 FOR
SELECT CAST(COUNT(*) AS UNSIGNED) AS moved
FROM {ledger}.am_row_change
WHERE migration = ? AND undone_by IS NULL
