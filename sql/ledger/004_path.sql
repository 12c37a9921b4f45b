-- Purpose: the plan: each stored legacy value and the object that it names. Values are bytes of UTF-8, whatever the
--          character set of the column, so that nothing is padded or folded.
CREATE TABLE IF NOT EXISTS {ledger}.am_path (
  migration INT UNSIGNED NOT NULL,
  value VARBINARY(3000) NOT NULL,
  mapping SMALLINT UNSIGNED NOT NULL,
  run BIGINT UNSIGNED NOT NULL,
  pass INT UNSIGNED NOT NULL COMMENT 'the last pass of the run that met it',
  source_key VARBINARY(1024) NOT NULL,
  target_key VARBINARY(1024) NOT NULL,
  PRIMARY KEY (migration, value),
  KEY by_pass (migration, run, pass, source_key)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin
