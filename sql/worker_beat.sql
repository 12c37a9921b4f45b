-- Purpose: a worker lives: its lease lasts on from now, by the clock of the database.
-- Index: primary key. Locks: one row of the ledger. Rows: 1, or 0 if another run has ended this one.
UPDATE {ledger}.am_worker SET lease_until = UTC_TIMESTAMP(3) + INTERVAL ? SECOND WHERE id = ? AND left_at IS NULL
