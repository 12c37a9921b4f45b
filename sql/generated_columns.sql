-- Purpose: the generated columns of the schema that this user can see, with what they are made from.
-- Index: none needed (information_schema). Locks: none. Rows: one a generated column.
SELECT table_name AS table_name, column_name AS column_name, CAST(generation_expression AS CHAR) AS made_from
FROM information_schema.columns
WHERE table_schema = ? AND generation_expression IS NOT NULL
