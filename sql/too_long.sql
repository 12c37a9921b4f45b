-- Purpose: how many modern paths would not fit into their column.
-- Index: an index on the column, if there is one; else one scan. Locks: none (consistent read). Rows: 1.
SELECT CAST(COALESCE(SUM({new_length} > ?), 0) AS UNSIGNED) AS too_long,
       CAST(COALESCE(MAX({new_length}), 0) AS UNSIGNED) AS longest
FROM {table} AS a
WHERE {moves}
