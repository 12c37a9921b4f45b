-- Purpose: the journal: every row that a cutover changed, written in the same transaction. A row is found again by its key and
--          what it holds. As slim as it can be, with no index but the key: these lines are half of what a cutover writes. What all
--          lines of a part have in common stands in am_part, and what a row held afterwards follows from its prefixes.
CREATE TABLE IF NOT EXISTS {ledger}.am_row_change (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  run BIGINT UNSIGNED NOT NULL,
  part INT UNSIGNED NOT NULL,
  row_key VARBINARY(3072) NOT NULL COMMENT 'primary key as text, a JSON array if composite, empty without one',
  new_row_key VARBINARY(3072) NULL COMMENT 'only where the path is a part of the key',
  old_value VARBINARY(3000) NOT NULL,
  undone_by BIGINT UNSIGNED NULL COMMENT 'the run that rolled it back'
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin
