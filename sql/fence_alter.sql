-- Purpose: adds or takes away the constraints of a fence, all those of a table at once. Adding one copies the table and fails
--          (4025) while a row violates it; taking one away does not copy.
-- Locks: writers of the table wait while it is copied, readers for a moment. Rows: none.
ALTER TABLE {table}
  {changes}
