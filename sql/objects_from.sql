-- Purpose: what the ledger knows of objects, in key order.
-- Index: primary key. Locks: none. Rows: at most a page.
SELECT source_key, target_key, CAST(state AS CHAR) AS state, source_etag, target_etag, own_copy, sha256,
       CAST(proof AS CHAR) AS proof
FROM {ledger}.am_object
WHERE migration = ? AND source_key >= ?
ORDER BY source_key
LIMIT ?
