-- Purpose: a part of the plans of earlier passes of some runs, which nobody reads any more, so small that nobody waits for it.
-- Index: primary key. Locks: the rows that go. Rows: at most so many.
DELETE FROM {ledger}.am_plan
WHERE migration = ? AND run BETWEEN ? AND ? AND pass < ?
LIMIT 10000
