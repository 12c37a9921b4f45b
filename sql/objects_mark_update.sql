-- Purpose: the tail of that INSERT: an object that is known already gets its new state.
-- Index: primary key. Locks: rows of the ledger only. Rows: as the head says.
 ON DUPLICATE KEY UPDATE state = VALUES(state), run = VALUES(run), pass = VALUES(pass), size = COALESCE(VALUES(size), size),
  target_key = VALUES(target_key), source_etag = VALUES(source_etag), target_etag = VALUES(target_etag),
  own_copy = VALUES(own_copy), sha256 = VALUES(sha256), proof = VALUES(proof), detail = VALUES(detail)
