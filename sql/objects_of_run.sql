-- Purpose: the next window of objects that a run has put into a state.
-- Index: by_state. Locks: none. Rows: at most the window.
SELECT source_key, target_key, CAST(state AS CHAR) AS state, source_etag, target_etag, own_copy, sha256,
       CAST(proof AS CHAR) AS proof
FROM {ledger}.am_object
WHERE migration = ? AND run = ? AND state = ? AND source_key > ?
ORDER BY source_key
LIMIT ?
