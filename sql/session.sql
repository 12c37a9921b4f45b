-- Purpose: settings of every session. Strict, so that a path too long for its column is an error and never cut; CHECK
--          constraints on, whatever the global default. A program that freezes inside a transaction keeps no row locked for
--          long: between two statements it has nothing to wait for.
-- Locks: none. Rows: none.
SET SESSION
  sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION,ERROR_FOR_DIVISION_BY_ZERO',
  check_constraint_checks = 1,
  innodb_lock_wait_timeout = 30,
  lock_wait_timeout = 60,
  idle_transaction_timeout = 15,
  net_write_timeout = 600,
  max_statement_time = 0
