-- Purpose: the next window of those objects in one state, with what the ledger knows of them.
-- Index: by_state; primary key of the ledger. Locks: none. Rows: at most the window.
SELECT u.source_key AS source_key, u.target_key AS target_key, CAST(COALESCE(o.state, 'planned') AS CHAR) AS state,
       o.source_etag AS source_etag, o.target_etag AS target_etag, COALESCE(o.own_copy, FALSE) AS own_copy,
       o.sha256 AS sha256, CAST(o.proof AS CHAR) AS proof
FROM {ledger}.am_undo_object AS u
LEFT JOIN {ledger}.am_object AS o
  ON o.migration = ? AND o.source_key = u.source_key AND o.target_key = u.target_key
WHERE u.state = ? AND u.source_key > ?
ORDER BY u.source_key
LIMIT ?
