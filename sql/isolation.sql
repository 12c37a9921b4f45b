-- Purpose: READ COMMITTED in every session, so that no writer of the application waits for what is only read. A statement
--          of its own, because the variable has another name from MariaDB 11.1 on.
-- Locks: none. Rows: none.
SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED
