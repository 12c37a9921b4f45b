-- Purpose: whether a pass has verified any object at all.
-- Index: by_state, by_pass of the paths. Locks: none. Rows: 0 or 1.
SELECT 1 AS verified
FROM {ledger}.am_object AS o
WHERE o.migration = ? AND o.run = ? AND o.state = 'verified'
  AND EXISTS (SELECT 1 FROM {ledger}.am_path AS p
              WHERE p.migration = o.migration AND p.run = o.run AND p.pass = ? AND p.source_key = o.source_key)
LIMIT 1
