-- Purpose: tell other runs that the holder of the lock lives.
-- Index: primary key. Locks: one row of the ledger. Rows: 1, or 0 if the ledger was dropped meanwhile.
UPDATE {ledger}.am_run SET heartbeat_at = UTC_TIMESTAMP(3) WHERE id = ?
