-- Purpose: how many rows of a column are legacy and modern, where SQL alone can tell.
-- Index: none; one scan. Locks: none (consistent read). Rows: 1.
SELECT CAST(COUNT(*) AS UNSIGNED) AS total,
       CAST(COALESCE(SUM({legacy}), 0) AS UNSIGNED) AS legacy,
       CAST(COALESCE(SUM({modern}), 0) AS UNSIGNED) AS modern
FROM {table} AS a
