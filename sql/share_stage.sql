-- Purpose: what the workers of a run are to do now, said by its holder.
-- Index: primary key. Locks: one row of the ledger. Rows: 1, or 0 if another worker is the holder by now.
UPDATE {ledger}.am_share SET stage = ?, pass = ?, rows_moved = ? WHERE run = ? AND holder = ?
