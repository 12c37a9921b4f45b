-- Purpose: the rows that were moved from one of some paths, the last ones first; not if that takes more than 5 seconds.
-- Index: none; the journal is read from its end. Locks: none. Rows: at most 20.
SET STATEMENT max_statement_time = 5 FOR
SELECT run, table_name, column_name, row_key, old_value, new_value,
       DATE_FORMAT(changed_at, '%Y-%m-%dT%H:%i:%sZ') AS at, undone_by
FROM {ledger}.am_row_change
WHERE migration = ? AND old_value IN ({values})
ORDER BY id DESC
LIMIT 20
