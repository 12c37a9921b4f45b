-- Purpose: what was decided by hand; a line an object, so that there are few.
-- Index: primary key. Locks: none. Rows: one a decision.
SELECT source_key, source_etag, target_etag, decided_by, CAST(DATE_FORMAT(decided_at, '%Y-%m-%d %H:%i:%s') AS CHAR) AS decided_at
FROM {ledger}.am_resolution
WHERE migration = ?
