-- Purpose: the next range of a stage that nobody is at, or whose worker's lease has lapsed. What others are just taking is
--          passed over.
-- Index: open; primary key of the workers. Locks: the rows that are looked at, until COMMIT. Rows: 0 or 1.
SELECT g.nth AS nth, g.after_key AS after_key, g.through_key AS through_key, g.claims AS claims
FROM {ledger}.am_range AS g
LEFT JOIN {ledger}.am_worker AS w ON w.id = g.worker
WHERE g.run = ? AND g.pass = ? AND g.stage = ? AND g.done_at IS NULL
  AND (g.worker IS NULL OR w.id IS NULL OR w.left_at IS NOT NULL OR w.lease_until < UTC_TIMESTAMP(3))
ORDER BY g.nth
LIMIT 1
FOR UPDATE SKIP LOCKED
