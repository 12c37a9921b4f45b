-- Purpose: a part of am_plan that runs of this migration through one have left, so small that nobody waits for it.
-- Index: primary key. Locks: the rows that go. Rows: at most so many.
DELETE FROM {ledger}.am_plan
WHERE migration = ? AND run <= ?
LIMIT 10000
