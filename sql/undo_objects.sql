-- Purpose: the objects that the rows need.
-- Index: none; the groups are read once. Locks: none (temporary tables). Rows: one an object.
INSERT INTO {ledger}.am_undo_object (source_key, target_key, state)
SELECT source_key, MAX(target_key), 'unseen'
FROM {ledger}.am_undo_group
WHERE state = 'held'
GROUP BY source_key
