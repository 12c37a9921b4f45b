-- Purpose: a connection that changes tables: behind a long transaction it gives up soon, as every writer queues up behind it.
-- Locks: none. Rows: none.
SET SESSION lock_wait_timeout = 5
