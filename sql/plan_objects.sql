-- Purpose: the objects that the paths of a pass name. What this run has found immovable stays so; all else is planned
--          (again). Recorded ETags are kept: they tell our own copies.
-- Index: primary key of the ledger. Locks: rows of the ledger only. Rows: 1 a new object, 2 one planned again.
INSERT INTO {ledger}.am_object (migration, source_key, target_key, state, run)
SELECT DISTINCT p.migration, p.source_key, p.target_key, 'planned', ?
FROM {ledger}.am_path AS p
WHERE p.migration = ? AND p.run = ? AND p.pass = ?
ORDER BY p.source_key
{limit}
ON DUPLICATE KEY UPDATE
  state = IF(am_object.run = VALUES(run) AND am_object.state IN ('missing_source', 'conflict', 'source_changed', 'refused', 'failed'),
             am_object.state, 'planned'),
  target_key = VALUES(target_key),
  run = VALUES(run)
