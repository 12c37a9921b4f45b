-- Purpose: how many rows they are.
-- Index: primary key. Locks: none (temporary table). Rows: 1.
SELECT CAST(COALESCE(SUM(line_count), 0) AS UNSIGNED) AS expected
FROM {ledger}.am_undo_group
WHERE part = ? AND mapping = ? AND state = 'going'
