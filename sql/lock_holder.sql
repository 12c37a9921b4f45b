-- Purpose: who holds the run lock.
-- Index: primary key, backwards. Locks: none. Rows: 0 or 1.
SELECT CONVERT(host USING utf8mb4) AS host, pid, CAST(started_at AS CHAR) AS since,
       TIMESTAMPDIFF(SECOND, heartbeat_at, UTC_TIMESTAMP(3)) AS silent_seconds
FROM {ledger}.am_run
WHERE connection_id = IS_USED_LOCK(?) AND finished_at IS NULL
ORDER BY id DESC
LIMIT 1
