-- Purpose: the head of a multi-row INSERT of sources that a shared finalize deals with.
-- Index: primary key. Locks: rows of the ledger only. Rows: 1 a new source, 2 a changed one.
INSERT INTO {ledger}.am_source (run, source_key, state, detail) 
