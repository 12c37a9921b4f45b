-- Purpose: takes a trigger of a fence away. The table is not copied.
-- Locks: the table, for a moment, once its transactions have ended. Rows: none.
DROP TRIGGER IF EXISTS {name}
