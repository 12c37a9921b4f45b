-- Purpose: those rows get their old paths back, if they still hold, byte for byte, what the journal says was written
--          (compare and set). Columns that would move by themselves are set to what they are.
-- Index: primary key of the groups; the table is read once. Locks: the rows that move, until COMMIT.
-- Rows: must equal the number of journal lines, else ROLLBACK.
UPDATE {table} AS a
SET {assignments}
WHERE {modern_prefix}
  AND EXISTS (SELECT 1 FROM {ledger}.am_undo_group AS g
              WHERE g.part = ? AND g.mapping = ? AND g.id = {row_id} AND g.state = 'going'
                AND g.row_key = {row_key} AND g.value = {value} AND g.old_value = {old_value})
