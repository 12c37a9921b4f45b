-- Purpose: the sources that a shared finalize deals with, for as long as it does: orphans that wait to be copied, and evidence
--          for sources that can go. Whoever deletes looks at both sides again.
CREATE TABLE IF NOT EXISTS {ledger}.am_source (
  run BIGINT UNSIGNED NOT NULL,
  source_key VARBINARY(1024) NOT NULL,
  state ENUM('orphan', 'deletable', 'young', 'failed') NOT NULL,
  detail TEXT NOT NULL COMMENT 'of an orphan its ETag, of what is deletable the evidence as JSON, else why',
  PRIMARY KEY (run, source_key)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin
