-- Purpose: the journal lines of the rows of one reference and one mapping that are about to move: still holding, byte
--          for byte, a value that this pass has planned and whose object this run has verified. A row that came back to a
--          value of an earlier pass waits for the next one: its object was not looked at again in this one.
-- Index: primary keys of the ledger; the table or a range of its primary key is read once, in this order whatever the
--        statistics say: those of the ledger are as old as the plan. Locks: the rows that will move (FOR UPDATE), until COMMIT.
-- Rows: as many as the UPDATE after it must match.
INSERT INTO {ledger}.am_row_change
  (migration, run, part, table_name, column_name, row_key, new_row_key, old_value, new_value, changed_at)
SELECT STRAIGHT_JOIN p.migration, ?, ?, ?, ?, {row_key}, {new_row_key}, p.value, {new_value}, UTC_TIMESTAMP(6)
FROM {table} AS a
JOIN {ledger}.am_path AS p ON p.migration = ? AND p.mapping = ? AND p.value = {value}
JOIN {ledger}.am_object AS o ON o.migration = p.migration AND o.source_key = p.source_key
WHERE {legacy_prefix} AND p.run = o.run AND p.pass = ? AND o.run = ? AND o.state = 'verified' AND o.source_key > ? {through} {no_clash}{rows}
FOR UPDATE
