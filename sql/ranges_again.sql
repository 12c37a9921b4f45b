-- Purpose: the ranges of a pass for the next stage: those that it was cut into for the first one. A holder that went right
--          after this has left them to the next one.
-- Index: primary key. Locks: new rows of the ledger only. Rows: one a range.
INSERT IGNORE INTO {ledger}.am_range (run, pass, stage, nth, turn, after_key, through_key)
SELECT run, pass, ?, nth, turn, after_key, through_key FROM {ledger}.am_range WHERE run = ? AND pass = ? AND stage = 'copy'
