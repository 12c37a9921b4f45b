-- Purpose: the lock's own connection. If this program's host vanishes without closing it, MariaDB ends it (and with it
--          the lock) after a minute of silence.
-- Locks: none. Rows: none.
SET SESSION wait_timeout = 60
