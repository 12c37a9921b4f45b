-- Purpose: a run is shared from now on. Locks: one new row of the ledger. Rows: 1.
INSERT INTO {ledger}.am_share (run, migration, terms, stage, pass, rows_moved) VALUES (?, ?, ?, 'alone', 0, 0)
