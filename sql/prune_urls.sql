-- Purpose: the same of am_url.
-- Index: by_run. Locks: the rows that go. Rows: at most so many.
DELETE FROM {ledger}.am_url
WHERE migration = ? AND run <= ?
LIMIT 10000
