-- Purpose: how large the tables of the schema are, by the server's own estimate, to say what copying one would mean.
-- Index: none needed (information_schema). Locks: none. Rows: one a table.
SELECT table_name AS table_name, CAST(COALESCE(table_rows, 0) AS UNSIGNED) AS table_rows,
       CAST(COALESCE(data_length, 0) + COALESCE(index_length, 0) AS UNSIGNED) AS bytes
FROM information_schema.tables
WHERE table_schema = ?
