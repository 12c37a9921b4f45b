-- Purpose: where a shared run stands, and whether it has a holder: one whose lease lasts, or whose lock does. A holder that
--          only is silent is waited for where it alone can go on.
-- Index: primary keys. Locks: none. Rows: 1, or 0 if the ledger was dropped meanwhile.
SELECT CAST(s.stage AS CHAR) AS stage, s.pass AS pass, s.rows_moved AS rows_moved, r.exit_code AS exit_code,
       s.summary AS summary, CONVERT(r.host USING utf8mb4) AS host, r.pid AS pid,
       (COALESCE(w.left_at IS NULL AND w.lease_until >= UTC_TIMESTAMP(3), r.heartbeat_at > UTC_TIMESTAMP(3) - INTERVAL ? SECOND)
        OR r.connection_id <=> IS_USED_LOCK(?)) AS holder_lives
FROM {ledger}.am_share AS s
JOIN {ledger}.am_run AS r ON r.id = s.run
LEFT JOIN {ledger}.am_worker AS w ON w.id = s.holder
WHERE s.run = ?
