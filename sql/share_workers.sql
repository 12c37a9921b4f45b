-- Purpose: the workers of a shared run, with what they did.
-- Index: by_run of the workers; primary key of the ranges. Locks: none. Rows: one a worker.
SELECT w.id AS id, CONVERT(w.host USING utf8mb4) AS host, w.pid AS pid, w.id <=> s.holder AS holder,
       DATE_FORMAT(w.joined_at, '%Y-%m-%dT%H:%i:%sZ') AS joined_at,
       CAST(IF(w.left_at IS NOT NULL, 'left', IF(w.lease_until < UTC_TIMESTAMP(3), 'lapsed', 'alive')) AS CHAR) AS state,
       CAST(COUNT(g.done_at) AS UNSIGNED) AS ranges, CAST(COALESCE(SUM(g.objects), 0) AS UNSIGNED) AS objects
FROM {ledger}.am_worker AS w
JOIN {ledger}.am_share AS s ON s.run = w.run
LEFT JOIN {ledger}.am_range AS g ON g.run = w.run AND g.worker = w.id
WHERE w.run = ?
GROUP BY w.id
ORDER BY w.id
