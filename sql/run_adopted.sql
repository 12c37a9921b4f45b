-- Purpose: the run lock of a run whose holder is gone is held by another worker of it.
-- Index: primary key. Locks: one row of the ledger. Rows: 1, or 0 if the run is over or the ledger was dropped.
UPDATE {ledger}.am_run SET connection_id = ?, host = ?, pid = ?, heartbeat_at = UTC_TIMESTAMP(3)
WHERE id = ? AND finished_at IS NULL
