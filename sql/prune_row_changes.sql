-- Purpose: a part of am_row_change that runs of this migration through one have left, so small that nobody waits for it.
-- Index: by_row. Locks: the rows that go. Rows: at most so many.
DELETE FROM {ledger}.am_row_change
WHERE migration = ? AND run <= ?
LIMIT 10000
