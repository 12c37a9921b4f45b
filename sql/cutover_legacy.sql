-- Purpose: how many rows of one reference and one mapping hold a legacy path. If they are as many as the journal lines just
--          written, whose rows are locked, then they are those rows, and the UPDATE needs not look each of them up.
-- Index: an index on the column, if there is one; else the table or a range of its primary key is read once.
-- Locks: none (consistent read). Rows: 1.
SELECT CAST(COUNT(*) AS UNSIGNED) AS legacy
FROM {table} AS a
WHERE {legacy_prefix}{rows}
