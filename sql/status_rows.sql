-- Purpose: how many rows have moved and were not rolled back; not if that takes more than 5 seconds.
-- Index: none; the journal is read once; primary key of the parts. Locks: none. Rows: 1.
SET STATEMENT max_statement_time = 5 FOR
SELECT STRAIGHT_JOIN CAST(COUNT(*) AS UNSIGNED) AS moved
FROM {ledger}.am_row_change AS j
JOIN {ledger}.am_part AS p ON p.run = j.run AND p.part = j.part
WHERE p.migration = ? AND j.undone_by IS NULL
