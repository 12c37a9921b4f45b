-- Purpose: the journal lines of the rows of one reference and one mapping that are about to move: naming, byte for byte, an
--          object that this pass has planned and this run has verified. A row that came back to an object of an earlier pass
--          waits for the next one: its object was not looked at again in this one.
-- Index: primary keys of the ledger; the table or a range of its primary key is read once, in this order whatever the
--        statistics say: those of the ledger are as old as the plan. Locks: the rows that will move (FOR UPDATE), until COMMIT.
-- Rows: as many as the UPDATE after it must match.
INSERT INTO {ledger}.am_row_change
  (migration, run, part, table_name, column_name, row_key, new_row_key, old_value, new_value, changed_at)
SELECT STRAIGHT_JOIN p.migration, p.run, ?, ?, ?, {row_key}, {new_row_key}, {value}, {new_value}, UTC_TIMESTAMP(6)
FROM {table} AS a{urls}
JOIN {ledger}.am_plan AS p
  ON p.migration = ? AND p.run = ? AND p.pass = ? AND p.source_key = {source_key} AND p.mapping = ?
JOIN {ledger}.am_object AS o ON o.migration = p.migration AND o.source_key = p.source_key
WHERE {legacy_prefix} AND o.run = p.run AND o.state = 'verified' AND o.source_key > ? {through} {no_clash}{rows}
FOR UPDATE
