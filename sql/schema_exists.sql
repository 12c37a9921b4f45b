-- Purpose: whether a schema exists, as far as this user can see. Locks: none. Rows: 0 or 1.
SELECT schema_name FROM information_schema.schemata WHERE schema_name = ?
