-- Purpose: an object whose rows the schema refuses: they stay, and this run does not try them again.
-- Index: primary key. Locks: one row of the ledger, until COMMIT. Rows: 1.
UPDATE {ledger}.am_object SET state = 'refused', detail = ? WHERE migration = ? AND source_key = ?
