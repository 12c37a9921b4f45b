-- Purpose: the run that holds the lock holds it by another connection now.
-- Index: primary key. Locks: one row of the ledger. Rows: 1, or 0 if the ledger was dropped meanwhile.
UPDATE {ledger}.am_run SET connection_id = ?, heartbeat_at = UTC_TIMESTAMP(3) WHERE id = ?
