-- Purpose: forget the rows of one column that were found before.
-- Index: primary key. Locks: none (temporary table). Rows: those that were found.
DELETE FROM {ledger}.am_undo_row WHERE part = ?
