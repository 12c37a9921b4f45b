-- Purpose: the lock's own connection. If this program's host vanishes without closing it, MariaDB ends it (and with it
--          the lock) after a minute of silence. A program that freezes inside the transaction keeps rows locked for a
--          quarter of that: between two statements it has nothing to wait for.
-- Locks: none. Rows: none.
SET SESSION wait_timeout = 60, idle_transaction_timeout = 15
