-- Purpose: a worker holds the run lock from now on.
-- Index: primary key. Locks: one row of the ledger. Rows: 1, or 0 if the ledger was dropped meanwhile.
UPDATE {ledger}.am_share SET holder = ? WHERE run = ?
