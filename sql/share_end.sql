-- Purpose: what a shared run came to, for the workers that did not hold it.
-- Index: primary key. Locks: one row of the ledger. Rows: 1.
UPDATE {ledger}.am_share SET stage = 'alone', summary = ? WHERE run = ? AND holder = ?
