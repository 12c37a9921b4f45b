-- Purpose: the shared run of a migration that is not over, unless another writing run of its schema has begun since.
-- Index: primary keys, backwards. Locks: none. Rows: 0 or 1.
SELECT s.run AS run, CONVERT(r.command USING utf8mb4) AS command, s.terms AS terms
FROM {ledger}.am_share AS s
JOIN {ledger}.am_run AS r ON r.id = s.run
WHERE s.migration = ? AND r.finished_at IS NULL
  AND NOT EXISTS (SELECT 1 FROM {ledger}.am_run AS n JOIN {ledger}.am_migration AS m ON m.id = n.migration
                  WHERE n.id > s.run AND m.database_name = ?)
ORDER BY s.run DESC
LIMIT 1
