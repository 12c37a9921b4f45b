-- Purpose: the rows of one column and one mapping that still hold, byte for byte, what the journal says was written; with
--          FOR UPDATE they stay so until COMMIT.
-- Index: primary key of the groups; the table is read once. Locks: none, or the rows that were found.
-- Rows: one a group that has rows.
INSERT INTO {ledger}.am_undo_row (part, id, held, clash)
SELECT g.part, g.id, COUNT(*), MAX({clashes})
FROM {table} AS a
STRAIGHT_JOIN {ledger}.am_undo_group AS g
  ON g.part = ? AND g.id = {row_id} AND g.mapping = ?
     AND g.row_key = {row_key} AND g.value = {value} AND g.old_value = {old_value}
WHERE {modern_prefix}
GROUP BY g.part, g.id
{lock}
