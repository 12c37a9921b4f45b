-- Purpose: takes an earlier decision about an object back.
-- Index: primary key. Locks: one row of the ledger. Rows: 0 or 1.
DELETE FROM {ledger}.am_resolution WHERE migration = ? AND source_key = ?
