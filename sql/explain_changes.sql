-- Purpose: the rows that were moved from one of some paths, the last ones first; not if that takes more than 5 seconds.
-- Index: none; the journal is read from its end. Locks: none. Rows: at most 20.
SET STATEMENT max_statement_time = 5 FOR
SELECT STRAIGHT_JOIN j.run, p.table_name, p.column_name, j.row_key, j.old_value,
       CONCAT(p.modern_prefix, SUBSTR(j.old_value, LENGTH(p.legacy_prefix) + 1)) AS new_value,
       DATE_FORMAT(p.changed_at, '%Y-%m-%dT%H:%i:%sZ') AS at, j.undone_by
FROM {ledger}.am_row_change AS j
JOIN {ledger}.am_part AS p ON p.run = j.run AND p.part = j.part
WHERE p.migration = ? AND j.old_value IN ({values})
ORDER BY j.id DESC
LIMIT 20
