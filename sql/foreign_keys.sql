-- Purpose: foreign keys inside the schema.
-- Index: none needed (information_schema). Locks: none. Rows: one a column of a foreign key.
SELECT table_name AS table_name, column_name AS column_name,
       referenced_table_name AS parent_table, referenced_column_name AS parent_column
FROM information_schema.key_column_usage
WHERE table_schema = ? AND referenced_table_name IS NOT NULL
