-- Purpose: columns that move by themselves when a row is updated.
-- Index: none needed (information_schema). Locks: none. Rows: one a column.
SELECT table_name AS table_name, column_name AS column_name
FROM information_schema.columns
WHERE table_schema = ? AND LOWER(extra) LIKE '%on update current_timestamp%'
ORDER BY table_name, ordinal_position
