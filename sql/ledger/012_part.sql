-- Purpose: the parts of the journal: the lines that one statement of a run wrote, of one reference and one mapping. Their ids lie
--          between the two, though others may lie there too.
CREATE TABLE IF NOT EXISTS {ledger}.am_part (
  run BIGINT UNSIGNED NOT NULL,
  part INT UNSIGNED NOT NULL,
  migration INT UNSIGNED NOT NULL,
  table_name VARCHAR(64) NOT NULL,
  column_name VARCHAR(64) NOT NULL,
  legacy_prefix VARBINARY(3000) NOT NULL COMMENT 'what the old values begin with',
  modern_prefix VARBINARY(3000) NOT NULL COMMENT 'what stands in its place in the new ones',
  changed_at DATETIME(6) NOT NULL COMMENT 'UTC',
  first_id BIGINT UNSIGNED NOT NULL,
  last_id BIGINT UNSIGNED NOT NULL,
  PRIMARY KEY (run, part)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin
