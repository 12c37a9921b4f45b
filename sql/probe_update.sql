-- Purpose: have the server check the privileges of the cutover. Locks: none. Rows: 0, always.
UPDATE {table} AS a SET {assignments} WHERE FALSE
