-- Purpose: the journal lines of one column that are not undone, or by this very run. A row that was changed several times goes back by its last
--          change, and the lines before that one are done with it; rows without a key cannot be told apart.
-- Index: primary key of the URLs; the journal is read once. Locks: none (consistent read). Rows: one a line.
INSERT INTO {ledger}.am_undo_line
  (change_id, part, id, latest, row_key, value, old_value, mapping, source_key, target_key)
SELECT j.id, ?, UNHEX(SHA2(CONCAT(LENGTH(j.new_row_key), ':', j.new_row_key, j.last_value), 256)), j.latest,
       j.new_row_key, j.new_value, j.old_value, {mapping}, {source_key}, {target_key}
FROM (SELECT id, migration, new_row_key, old_value, new_value,
             new_row_key = '' OR id = MAX(id) OVER (PARTITION BY new_row_key) AS latest,
             IF(new_row_key = '', new_value,
                FIRST_VALUE(new_value) OVER (PARTITION BY new_row_key ORDER BY id DESC)) AS last_value
      FROM {ledger}.am_row_change
      WHERE migration = ? AND table_name = ? AND column_name = ? AND (undone_by IS NULL OR undone_by = ?)) AS j
LEFT JOIN {ledger}.am_url AS u ON u.migration = j.migration AND u.value = j.old_value
