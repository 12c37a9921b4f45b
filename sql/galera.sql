-- Purpose: whether the server is a member of a Galera cluster; the variable is absent in builds without it.
-- Locks: none. Rows: 0 or 1.
SHOW GLOBAL VARIABLES LIKE 'wsrep_on'
