-- Purpose: note in the journal, in the same transaction, which lines were undone: those of the rows that go back, and the
--          earlier ones of the same rows.
-- Index: primary keys. Locks: lines of the ledger. Rows: at least as many as rows that go back.
UPDATE {ledger}.am_row_change AS j
JOIN {ledger}.am_undo_line AS l ON l.change_id = j.id
JOIN {ledger}.am_undo_group AS g ON g.part = l.part AND g.id = l.id
SET j.undone_by = ?
WHERE g.part = ? AND g.state = 'going' AND j.undone_by IS NULL
