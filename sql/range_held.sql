-- Purpose: whether a worker still holds a range, and holds it until COMMIT.
-- Index: primary key. Locks: one row of the ledger, until COMMIT. Rows: 1, or 0 if another one has taken it.
SELECT 1 AS held
FROM {ledger}.am_range
WHERE run = ? AND pass = ? AND stage = ? AND nth = ? AND worker = ? AND claims = ? AND done_at IS NULL
FOR UPDATE
