-- Purpose: the head of a multi-row INSERT of what became of objects.
-- Index: primary key. Locks: rows of the ledger only. Rows: 1 a new object, 2 a changed one.
INSERT INTO {ledger}.am_object (migration, source_key, target_key, state, run, pass, size, source_etag, target_etag,
  own_copy, sha256, proof, detail) 
