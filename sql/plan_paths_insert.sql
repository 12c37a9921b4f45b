-- Purpose: the head of a multi-row INSERT for values that SQL cannot classify (percent-encoded URLs, binary columns).
-- Locks: rows of the ledger only. Rows: 1 a new value, 2 a value met again.
INSERT INTO {ledger}.am_path (migration, value, mapping, run, pass, source_key, target_key) 
