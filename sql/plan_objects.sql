-- Purpose: the head of a multi-row INSERT for objects named by values that SQL cannot classify (percent-encoded URLs, binary
--          columns).
-- Locks: rows of the ledger only. Rows: 1 a new object, 0 one met again.
INSERT INTO {ledger}.am_plan (migration, run, pass, source_key, mapping, target_key) 
