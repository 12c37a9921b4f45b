-- Purpose: how many ranges of a stage there are, and how many are done.
-- Index: primary key. Locks: none. Rows: 1.
SELECT CAST(COUNT(*) AS UNSIGNED) AS ranges, CAST(COUNT(done_at) AS UNSIGNED) AS done
FROM {ledger}.am_range
WHERE run = ? AND pass = ? AND stage = ?
