-- Purpose: the groups of one column and one mapping that go back now: held, and with an object in the legacy bucket.
-- Index: primary keys. Locks: none (temporary tables). Rows: the groups.
UPDATE {ledger}.am_undo_group AS g
JOIN {ledger}.am_undo_object AS o ON o.source_key = g.source_key AND o.state = 'there'
SET g.state = 'going'
WHERE g.part = ? AND g.mapping = ? AND g.state = 'held'
