-- Purpose: they are not needed any more.
-- Index: by_row. Locks: rows of the ledger only. Rows: the lines.
DELETE FROM {ledger}.am_moving WHERE run = ?
