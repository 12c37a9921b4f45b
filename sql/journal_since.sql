-- Purpose: how many rows of each column this run has moved after a line of the journal.
-- Index: the primary key, from that line on; that of the parts. Locks: none (consistent read). Rows: one a column.
SELECT STRAIGHT_JOIN p.table_name, p.column_name, CAST(COUNT(*) AS UNSIGNED) AS moved, MAX(j.id) AS last
FROM {ledger}.am_row_change AS j
JOIN {ledger}.am_part AS p ON p.run = j.run AND p.part = j.part
WHERE j.id > ? AND j.run = ?
GROUP BY p.table_name, p.column_name
