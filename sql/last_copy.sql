-- Purpose: with what settings a schema was copied last.
-- Index: primary key, backwards. Locks: none. Rows: 0 or 1.
SELECT m.id AS id, CONCAT(m.source_bucket, ' -> ', m.target_bucket, '\n', m.mappings) AS settings
FROM {ledger}.am_run AS r
JOIN {ledger}.am_migration AS m ON m.id = r.migration
WHERE r.command = 'copy' AND m.database_name = ?
ORDER BY r.id DESC
LIMIT 1
