-- Purpose: the lock's own connection. If this program's host vanishes without closing it, MariaDB ends it (and with it
--          the lock) after a minute of silence; a transaction that stalls is rolled back.
-- Locks: none. Rows: none.
SET SESSION wait_timeout = 60, idle_transaction_timeout = 60
