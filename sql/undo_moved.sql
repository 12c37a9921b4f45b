-- Purpose: those groups have gone back.
-- Index: primary key. Locks: none (temporary table). Rows: the groups.
UPDATE {ledger}.am_undo_group SET state = 'moved' WHERE part = ? AND state = 'going'
