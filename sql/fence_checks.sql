-- Purpose: all CHECK constraints of the schema, to find fences among them.
-- Index: none needed (information_schema). Locks: none. Rows: one a constraint.
SELECT table_name AS table_name, constraint_name AS constraint_name, CAST(check_clause AS CHAR) AS clause
FROM information_schema.check_constraints
WHERE constraint_schema = ?
