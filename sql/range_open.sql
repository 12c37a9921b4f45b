-- Purpose: the next range of a stage that nobody is at, or whose worker's lease has lapsed. What others are just taking is
--          passed over. Workers are looked at in a subquery, which locks none: in a join, a worker whose heart is just beating
--          would be passed over as well, and its range taken for free.
-- Index: open; primary key of the workers. Locks: the ranges that are looked at, until COMMIT. Rows: 0 or 1.
SELECT g.nth AS nth, g.after_key AS after_key, g.through_key AS through_key, g.claims AS claims
FROM {ledger}.am_range AS g
WHERE g.run = ? AND g.pass = ? AND g.stage = ? AND g.done_at IS NULL
  AND (g.worker IS NULL
       OR NOT EXISTS (SELECT 1 FROM {ledger}.am_worker AS w
                      WHERE w.id = g.worker AND w.left_at IS NULL AND w.lease_until >= UTC_TIMESTAMP(3)))
ORDER BY g.turn
LIMIT 1
FOR UPDATE SKIP LOCKED
