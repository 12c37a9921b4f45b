-- Purpose: the same as cutover_update.sql where every row with a legacy path stands in the journal of this transaction. The
--          journal's rows are locked with the values that were read, so that as many rows as it has lines are those very rows;
--          one that was written meanwhile makes one more.
-- Index: an index on the column, if there is one; else the table or a range of its primary key is read once. Locks: the rows
--        that move, until COMMIT. Rows: must equal the number of journal lines, else ROLLBACK.
UPDATE {table} AS a
SET {assignments}
WHERE {legacy_prefix}{rows}
