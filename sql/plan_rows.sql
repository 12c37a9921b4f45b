-- Purpose: the plan of one reference and one mapping: the object that each stored legacy value names. The primary key of the
--          ledger removes duplicates, which is faster than DISTINCT.
-- Index: an index on the column, if there is one; else one scan. Locks: rows of the ledger only (READ COMMITTED).
-- Rows: 1 a new object, 0 one met again.
INSERT INTO {ledger}.am_plan (migration, run, pass, source_key, mapping, target_key)
SELECT ?, ?, ?, {source_key}, ?, {target_key}
FROM {table} AS a
WHERE {legacy}
ON DUPLICATE KEY UPDATE mapping = VALUES(mapping)
