-- Purpose: a part of am_path that runs of this migration through one have left, so small that nobody waits for it.
-- Index: by_pass. Locks: the rows that go. Rows: at most so many.
DELETE FROM {ledger}.am_path
WHERE migration = ? AND run <= ?
LIMIT 10000
