-- Purpose: what a worker has done of its range since it said so last; and that it is done, if it is.
-- Index: primary key. Locks: one row of the ledger. Rows: 1, or 0 if another one has taken it.
UPDATE {ledger}.am_range
SET objects = objects + ?, bytes = bytes + ?, changed = changed + ?, failed = failed + ?, done_at = IF(?, UTC_TIMESTAMP(3), NULL)
WHERE run = ? AND pass = ? AND stage = ? AND nth = ? AND worker = ? AND claims = ? AND done_at IS NULL
