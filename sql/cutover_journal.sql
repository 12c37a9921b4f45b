-- Purpose: the journal lines of the rows of one reference and one mapping that are about to move: naming, byte for byte, an
--          object that this run has verified in this pass. A row that came back to an object of an earlier pass waits for the next
--          one: its object was not looked at again in this one.
-- Index: primary key of the objects; the table or a range of its primary key is read once, in this order whatever the
--        statistics say: those of the ledger are as old as the run. Locks: the rows that will move (FOR UPDATE), until COMMIT.
-- Rows: as many as the UPDATE after it must match.
INSERT INTO {ledger}.am_row_change (run, part, row_key, new_row_key, old_value)
SELECT STRAIGHT_JOIN o.run, ?, {row_key}, {new_row_key}, {value}
FROM {table} AS a{urls}
JOIN {ledger}.am_object AS o ON o.source_key = {source_key} AND {verified}
WHERE {legacy_prefix}{no_clash}{rows}
FOR UPDATE
