-- Purpose: the columns of which the journal knows changes that are not undone, or by this very run, the one that was
--          changed last first: where two columns of a primary key moved, only the reverse order finds the rows again.
-- Index: none; the journal is read once; primary key of the parts. Locks: none (consistent read). Rows: one a column.
SELECT STRAIGHT_JOIN p.table_name, p.column_name, CAST(MAX(j.row_key <> '') AS SIGNED) AS keyed
FROM {ledger}.am_row_change AS j
JOIN {ledger}.am_part AS p ON p.run = j.run AND p.part = j.part
WHERE p.migration = ? AND (j.undone_by IS NULL OR j.undone_by = ?)
GROUP BY p.table_name, p.column_name
ORDER BY MAX(j.id) DESC
