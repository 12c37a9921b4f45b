-- Purpose: the journal: every row that a cutover changed, written in the same transaction. `part` numbers the
--          statements of a run; a row is found again by its key and its old value.
CREATE TABLE IF NOT EXISTS {ledger}.am_row_change (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  migration INT UNSIGNED NOT NULL,
  run BIGINT UNSIGNED NOT NULL,
  part INT UNSIGNED NOT NULL,
  table_name VARCHAR(64) NOT NULL,
  column_name VARCHAR(64) NOT NULL,
  row_key VARBINARY(3072) NOT NULL COMMENT 'primary key as text, a JSON array if composite, empty without one',
  new_row_key VARBINARY(3072) NOT NULL COMMENT 'differs only if the path is a part of the key',
  old_value VARBINARY(3000) NOT NULL,
  new_value VARBINARY(3000) NOT NULL,
  changed_at DATETIME(6) NOT NULL COMMENT 'UTC',
  undone_by BIGINT UNSIGNED NULL COMMENT 'the run that rolled it back',
  KEY by_row (run, part, row_key(255), old_value(255))
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin
