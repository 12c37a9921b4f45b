-- Purpose: whether another writing run of this schema has begun after this one.
-- Index: primary keys, backwards. Locks: none. Rows: 0 or 1.
SELECT CONVERT(r.host USING utf8mb4) AS host, r.pid AS pid, CAST(r.started_at AS CHAR) AS since,
       TIMESTAMPDIFF(SECOND, r.heartbeat_at, UTC_TIMESTAMP(3)) AS silent_seconds
FROM {ledger}.am_run AS r
JOIN {ledger}.am_migration AS m ON m.id = r.migration
WHERE r.id > ? AND m.database_name = ?
ORDER BY r.id DESC
LIMIT 1
