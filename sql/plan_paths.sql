-- Purpose: the plan of one reference and one mapping: every stored legacy value with the object that it names. The
--          primary key of the ledger removes duplicates, which is faster than DISTINCT.
-- Index: an index on the column, if there is one; else one scan. Locks: rows of the ledger only (READ COMMITTED).
-- Rows: 1 a new value, 2 a value met again.
INSERT INTO {ledger}.am_path (migration, value, mapping, run, pass, source_key, target_key)
SELECT ?, {value}, ?, ?, ?, {source_key}, {target_key}
FROM {table} AS a
WHERE {legacy}
ON DUPLICATE KEY UPDATE run = VALUES(run), pass = VALUES(pass), mapping = VALUES(mapping)
