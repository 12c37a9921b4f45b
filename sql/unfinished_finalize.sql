-- Purpose: the finalize of this schema and legacy bucket that never said how it ended and was alive last.
-- Index: none; one line a run. Locks: none. Rows: 0 or 1.
SELECT CONVERT(r.host USING utf8mb4) AS host, r.pid AS pid, CAST(r.started_at AS CHAR) AS since,
       TIMESTAMPDIFF(SECOND, r.heartbeat_at, UTC_TIMESTAMP(3)) AS silent_seconds
FROM {ledger}.am_run AS r
JOIN {ledger}.am_migration AS m ON m.id = r.migration
WHERE r.command = 'finalize' AND r.finished_at IS NULL AND m.database_name = ? AND m.source_bucket = ?
ORDER BY r.heartbeat_at DESC
LIMIT 1
