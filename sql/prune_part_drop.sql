-- Purpose: a part of which no line is left.
-- Index: primary key. Locks: one row of the ledger. Rows: 1.
DELETE FROM {ledger}.am_part WHERE run = ? AND part = ?
