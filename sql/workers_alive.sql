-- Purpose: whether others than this worker are at work on its run.
-- Index: by_run. Locks: none. Rows: 1.
SELECT CAST(COUNT(*) AS UNSIGNED) AS workers
FROM {ledger}.am_worker
WHERE run = ? AND id <> ? AND left_at IS NULL AND lease_until >= UTC_TIMESTAMP(3)
