-- Purpose: what became of one object, by which run, and what was noted.
-- Index: primary key. Locks: none. Rows: 0 or 1.
SELECT CAST(o.state AS CHAR) AS state, o.run, COALESCE(CONVERT(r.command USING utf8mb4), '') AS command,
       COALESCE(DATE_FORMAT(r.started_at, '%Y-%m-%dT%H:%i:%sZ'), '') AS at,
       COALESCE(CONVERT(o.detail USING utf8mb4), '') AS detail
FROM {ledger}.am_object AS o
LEFT JOIN {ledger}.am_run AS r ON r.id = o.run
WHERE o.migration = ? AND o.source_key = ?
