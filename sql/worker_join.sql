-- Purpose: a worker joins a shared run. Locks: one new row of the ledger. Rows: 1.
INSERT INTO {ledger}.am_worker (run, host, pid, joined_at, lease_until)
VALUES (?, ?, ?, UTC_TIMESTAMP(3), UTC_TIMESTAMP(3) + INTERVAL ? SECOND)
