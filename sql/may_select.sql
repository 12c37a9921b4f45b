-- Purpose: whether the user may read every table of a schema, those that do not exist yet included.
-- Index: none needed (information_schema). Locks: none. Rows: 1.
SELECT EXISTS (SELECT 1 FROM information_schema.user_privileges WHERE privilege_type = 'SELECT')
    OR EXISTS (SELECT 1 FROM information_schema.schema_privileges
               WHERE ? LIKE table_schema AND privilege_type = 'SELECT') AS may_select
