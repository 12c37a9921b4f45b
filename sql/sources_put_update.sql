-- Purpose: the tail of that INSERT: what became of a source that is there already.
-- Index: primary key. Locks: rows of the ledger only. Rows: as the head says.
 ON DUPLICATE KEY UPDATE state = VALUES(state), detail = VALUES(detail)
