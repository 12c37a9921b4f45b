-- Purpose: a worker goes. Index: primary key. Locks: one row of the ledger. Rows: 1.
UPDATE {ledger}.am_worker SET left_at = UTC_TIMESTAMP(3) WHERE id = ? AND left_at IS NULL
