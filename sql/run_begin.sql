-- Purpose: the line of a new run. Locks: one new row of the ledger. Rows: 1.
INSERT INTO {ledger}.am_run (migration, command, host, pid, connection_id, started_at, heartbeat_at)
VALUES (?, ?, ?, ?, ?, UTC_TIMESTAMP(3), UTC_TIMESTAMP(3))
