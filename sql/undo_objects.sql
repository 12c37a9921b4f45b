-- Purpose: the objects that the rows need; those of rows that have gone back were seen before.
-- Index: none; the groups are read once. Locks: none (temporary tables). Rows: one an object.
INSERT INTO {ledger}.am_undo_object (source_key, target_key, state)
SELECT source_key, MAX(target_key), IF(MAX(state = 'moved'), 'there', 'unseen')
FROM {ledger}.am_undo_group
WHERE state IN ('held', 'moved')
GROUP BY source_key
