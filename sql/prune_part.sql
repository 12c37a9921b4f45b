-- Purpose: the first part of the journal that runs of this migration through one have left, and where its lines are.
-- Index: primary key. Locks: none. Rows: 1; none at the end.
SELECT run, part, first_id, last_id
FROM {ledger}.am_part
WHERE migration = ? AND run <= ?
ORDER BY run, part
LIMIT 1
