-- Purpose: the head of a DELETE: what was known of the sources of a range is needed no more.
-- Index: primary key. Locks: rows of the ledger only. Rows: one a source.
DELETE FROM {ledger}.am_source WHERE run = 
