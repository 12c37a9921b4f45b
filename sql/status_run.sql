-- Purpose: the last writing run of this migration, and whether it still holds the run lock.
-- Index: primary key, backwards. Locks: none. Rows: 0 or 1.
SELECT id, CONVERT(command USING utf8mb4) AS command, CONVERT(host USING utf8mb4) AS host, pid,
       DATE_FORMAT(started_at, '%Y-%m-%dT%H:%i:%sZ') AS started_at,
       TIMESTAMPDIFF(SECOND, heartbeat_at, UTC_TIMESTAMP(3)) AS silent_seconds,
       DATE_FORMAT(finished_at, '%Y-%m-%dT%H:%i:%sZ') AS finished_at, exit_code,
       CAST(finished_at IS NULL AND connection_id <=> IS_USED_LOCK(?) AS SIGNED) AS running,
       CONVERT(phase USING utf8mb4) AS phase, phase_done, phase_total, CONVERT(phase_unit USING utf8mb4) AS phase_unit,
       phase_seconds
FROM {ledger}.am_run
WHERE migration = ?
ORDER BY id DESC
LIMIT 1
