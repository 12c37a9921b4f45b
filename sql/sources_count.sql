-- Purpose: how many sources of a shared finalize are in a state.
-- Index: primary key. Locks: none. Rows: 1.
SELECT CAST(COUNT(*) AS UNSIGNED) AS sources FROM {ledger}.am_source WHERE run = ? AND state = ?
