-- Purpose: which groups of one column can go back: a row that holds something else, or is gone, was changed by the
--          application; another number of rows than of journal lines cannot be told apart; a unique key may forbid it.
-- Index: primary keys. Locks: none (temporary tables). Rows: the groups of the column.
UPDATE {ledger}.am_undo_group AS g
LEFT JOIN {ledger}.am_undo_row AS r ON r.part = g.part AND r.id = g.id
SET g.state = CASE WHEN r.held IS NULL THEN 'changed'
                   WHEN r.held <> g.line_count THEN 'ambiguous'
                   WHEN r.clash THEN 'conflict'
                   ELSE 'held' END
WHERE g.part = ? AND g.mapping IS NOT NULL
