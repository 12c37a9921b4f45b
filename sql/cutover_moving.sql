-- Purpose: the journal lines of a part, to be looked up by row.
-- Index: primary keys. Locks: rows of the ledger only. Rows: the lines.
INSERT INTO {ledger}.am_moving (id, run, part, row_key, old_value)
SELECT j.id, j.run, j.part, j.row_key, j.old_value
FROM {ledger}.am_part AS p
STRAIGHT_JOIN {ledger}.am_row_change AS j
  ON j.id BETWEEN p.first_id AND p.last_id AND j.run = p.run AND j.part = p.part
WHERE p.run = ? AND p.part = ?
