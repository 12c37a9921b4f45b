-- Purpose: whether a worker may go on deleting: its run is at that, its holder holds the run lock, and its own lease lasts.
-- Index: primary keys. Locks: none. Rows: 0 or 1.
SELECT 1 AS holds
FROM {ledger}.am_share AS s
JOIN {ledger}.am_run AS r ON r.id = s.run AND r.finished_at IS NULL AND r.connection_id = IS_USED_LOCK(?)
JOIN {ledger}.am_worker AS w ON w.run = s.run AND w.id = ? AND w.left_at IS NULL AND w.lease_until >= UTC_TIMESTAMP(3)
WHERE s.run = ? AND s.stage = 'delete'
