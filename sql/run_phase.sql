-- Purpose: how far a run is in its present phase, for who asks with `status`.
-- Index: primary key. Locks: one row of the ledger. Rows: 1, or 0 if the ledger was dropped meanwhile.
UPDATE {ledger}.am_run SET phase = ?, phase_done = ?, phase_total = ?, phase_unit = ?, phase_seconds = ? WHERE id = ?
