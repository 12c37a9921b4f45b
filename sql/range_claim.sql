-- Purpose: a worker takes a range. Index: primary key. Locks: one row of the ledger, until COMMIT. Rows: 1.
UPDATE {ledger}.am_range SET worker = ?, claims = ?, claimed_at = UTC_TIMESTAMP(3)
WHERE run = ? AND pass = ? AND stage = ? AND nth = ?
