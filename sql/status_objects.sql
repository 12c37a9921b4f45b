-- Purpose: how many objects of a migration are in each state; not if that takes more than 5 seconds.
-- Index: by_state. Locks: none. Rows: at most one a state.
SET STATEMENT max_statement_time = 5 FOR
SELECT CAST(state AS CHAR) AS state, CAST(COUNT(*) AS UNSIGNED) AS objects
FROM {ledger}.am_object
WHERE migration = ?
GROUP BY state
