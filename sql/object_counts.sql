-- Purpose: how many objects this run has put into each state.
-- Index: by_state. Locks: none. Rows: at most one a state.
SELECT CAST(state AS CHAR) AS state, CAST(COUNT(*) AS UNSIGNED) AS objects
FROM {ledger}.am_object
WHERE migration = ? AND run = ?
GROUP BY state
