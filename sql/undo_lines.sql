-- Purpose: the journal lines of one column that are not undone, or by this very run. A row that was changed several times goes back by its last
--          change, and the lines before that one are done with it; rows without a key cannot be told apart.
-- Index: primary keys of parts and URLs; the journal is read once. Locks: none (consistent read). Rows: one a line.
INSERT INTO {ledger}.am_undo_line
  (change_id, part, id, latest, row_key, value, old_value, mapping, source_key, target_key)
SELECT j.id, ?, UNHEX(SHA2(CONCAT(LENGTH(j.new_row_key), ':', j.new_row_key, j.last_value), 256)), j.latest,
       j.new_row_key, j.new_value, j.old_value, {mapping}, {source_key}, {target_key}
FROM (SELECT id, migration, new_row_key, old_value, new_value,
             new_row_key = '' OR id = MAX(id) OVER (PARTITION BY new_row_key) AS latest,
             IF(new_row_key = '', new_value,
                FIRST_VALUE(new_value) OVER (PARTITION BY new_row_key ORDER BY id DESC)) AS last_value
      FROM (SELECT STRAIGHT_JOIN c.id, p.migration, COALESCE(c.new_row_key, c.row_key) AS new_row_key, c.old_value,
                   CONCAT(p.modern_prefix, SUBSTR(c.old_value, LENGTH(p.legacy_prefix) + 1)) AS new_value
            FROM {ledger}.am_row_change AS c
            JOIN {ledger}.am_part AS p ON p.run = c.run AND p.part = c.part
            WHERE p.migration = ? AND p.table_name = ? AND p.column_name = ? AND (c.undone_by IS NULL OR c.undone_by = ?)) AS changes
     ) AS j
LEFT JOIN {ledger}.am_url AS u ON u.migration = j.migration AND u.value = j.old_value
