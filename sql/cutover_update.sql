-- Purpose: the rows of one reference and one mapping move to their modern paths: those that name an object which this run has
--          verified in this pass, as in cutover_journal.sql. The journal's rows are locked with the values that were read, so
--          that as many rows as it has lines are those very rows; one that was written meanwhile makes one more. Columns that
--          would move by themselves are set to what they are.
-- Index: primary key of the objects; the table or a range of its primary key is read once. Locks: the rows that move, until
--        COMMIT. Rows: must equal the number of journal lines, else ROLLBACK.
UPDATE {table} AS a
SET {assignments}
WHERE {legacy_prefix}
  AND EXISTS (SELECT STRAIGHT_JOIN 1 FROM {objects}
              WHERE {named} AND {verified}){rows}
