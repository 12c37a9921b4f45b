-- Purpose: a part of am_object that runs of this migration through one have left, so small that nobody waits for it.
-- Index: by_state. Locks: the rows that go. Rows: at most so many.
DELETE FROM {ledger}.am_object
WHERE migration = ? AND run <= ? AND state = 'deleted'
LIMIT 10000
