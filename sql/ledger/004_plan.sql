-- Purpose: the plan: the objects that rows named by legacy paths when a pass began, once for each mapping that led to one.
--          Which value that was follows from the two, but for the values in am_url. In the order in which all of it is read.
CREATE TABLE IF NOT EXISTS {ledger}.am_plan (
  migration INT UNSIGNED NOT NULL,
  run BIGINT UNSIGNED NOT NULL,
  pass INT UNSIGNED NOT NULL COMMENT 'of the run, from 1',
  source_key VARBINARY(1024) NOT NULL,
  mapping SMALLINT UNSIGNED NOT NULL,
  target_key VARBINARY(1024) NOT NULL,
  PRIMARY KEY (migration, run, pass, source_key, mapping)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin
