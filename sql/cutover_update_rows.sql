-- Purpose: the same where each row is looked up: those, and only those, that the journal of this transaction holds with their
--          present value (compare and set).
-- Index: by_row of what is moving; the table or a range of its primary key is read once. Locks: the rows that move, until
--        COMMIT. Rows: must equal the number of journal lines, else ROLLBACK.
UPDATE {table} AS a
SET {assignments}
WHERE {legacy_prefix}
  AND EXISTS (SELECT 1 FROM {ledger}.am_moving AS j
              WHERE j.run = ? AND j.part = ? AND j.row_key = {row_key} AND j.old_value = {value}){rows}
