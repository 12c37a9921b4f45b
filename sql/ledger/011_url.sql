-- Purpose: the legacy values that are percent-decoded, and the object that each names: several can name one, and SQL cannot tell
--          which. Values are bytes of UTF-8, whatever the character set of the column, so that nothing is padded or folded.
CREATE TABLE IF NOT EXISTS {ledger}.am_url (
  migration INT UNSIGNED NOT NULL,
  value VARBINARY(3000) NOT NULL,
  source_key VARBINARY(1024) NOT NULL,
  run BIGINT UNSIGNED NOT NULL COMMENT 'the last run that met it',
  PRIMARY KEY (migration, value),
  KEY by_run (migration, run)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin
