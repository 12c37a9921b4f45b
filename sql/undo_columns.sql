-- Purpose: the columns of which the journal knows changes that are not undone, or by this very run, the one that was
--          changed last first: where two columns of a primary key moved, only the reverse order finds the rows again.
-- Index: none; the journal is read once. Locks: none (consistent read). Rows: one a column.
SELECT table_name, column_name,
       CAST(MAX(new_row_key <> '') AS SIGNED) AS keyed
FROM {ledger}.am_row_change
WHERE migration = ? AND (undone_by IS NULL OR undone_by = ?)
GROUP BY table_name, column_name
ORDER BY MAX(id) DESC
