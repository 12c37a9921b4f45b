-- Purpose: where the plan is made anew after a COMMIT whose answer was lost: the groups that this run has put back.
-- Index: primary keys. Locks: none (consistent read). Rows: the groups.
UPDATE {ledger}.am_undo_group AS g
JOIN {ledger}.am_undo_line AS l ON l.part = g.part AND l.id = g.id
JOIN {ledger}.am_row_change AS j ON j.id = l.change_id
SET g.state = 'moved'
WHERE j.undone_by = ?
