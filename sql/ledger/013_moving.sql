-- Purpose: the lines of a part by row, where each row is looked up: filled and emptied within one transaction, and so always empty
--          for everybody else.
CREATE TABLE IF NOT EXISTS {ledger}.am_moving (
  id BIGINT UNSIGNED NOT NULL PRIMARY KEY,
  run BIGINT UNSIGNED NOT NULL,
  part INT UNSIGNED NOT NULL,
  row_key VARBINARY(3072) NOT NULL,
  old_value VARBINARY(3000) NOT NULL,
  KEY by_row (run, part, row_key(255), old_value(255))
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin
