-- Purpose: the head of an UPDATE that says what was seen of objects; their keys follow.
-- Index: primary key. Locks: none (temporary table). Rows: the objects.
UPDATE {ledger}.am_undo_object SET state = 
