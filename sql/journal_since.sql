-- Purpose: how many rows of each column this run has moved after a line of the journal.
-- Index: the primary key, from that line on. Locks: none (consistent read). Rows: one a column.
SELECT table_name, column_name, CAST(COUNT(*) AS UNSIGNED) AS moved, MAX(id) AS last
FROM {ledger}.am_row_change
WHERE id > ? AND run = ?
GROUP BY table_name, column_name
