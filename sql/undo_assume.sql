-- Purpose: take the groups of one column as held until the transaction looks: their key holds another path as well, which
--          has to go back first.
-- Index: primary key. Locks: none (temporary table). Rows: the groups of the column.
UPDATE {ledger}.am_undo_group SET state = 'held' WHERE part = ? AND mapping IS NOT NULL
