-- Purpose: rows of one reference that still hold the old value of a journal line of the transaction in question: none, if it
--          was committed.
-- Index: by_row of what is moving; the table or a range of its primary key is read once. Locks: those rows and lines (shared), until ROLLBACK. Rows: 1.
SELECT CAST(COUNT(*) AS UNSIGNED) AS unmoved
FROM {table} AS a
WHERE {legacy_prefix}
  AND EXISTS (SELECT 1 FROM {ledger}.am_moving AS j
              WHERE j.run = ? AND j.part = ? AND j.row_key = {row_key} AND j.old_value = {value}){rows}
LOCK IN SHARE MODE
