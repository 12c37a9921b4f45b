-- Purpose: how many threads of the server are at work just now, this one included.
-- Index: none. Locks: none. Rows: 1.
SHOW GLOBAL STATUS LIKE 'Threads_running'
