-- Purpose: the last run of this migration that began long enough ago, before those whose traces are still needed.
-- Index: primary key. Locks: none. Rows: 1.
SELECT CAST(COALESCE(MAX(id), 0) AS UNSIGNED) AS id, COALESCE(DATE_FORMAT(MAX(started_at), '%Y-%m-%dT%H:%i:%sZ'), '') AS at
FROM {ledger}.am_run
WHERE migration = ? AND started_at < UTC_TIMESTAMP(3) - INTERVAL ? SECOND AND id < ?
