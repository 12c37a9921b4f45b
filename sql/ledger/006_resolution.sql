-- Purpose: what a person has decided about an object whose twins differ: the target stays as it is. It counts only while
--          both live ETags equal these.
CREATE TABLE IF NOT EXISTS {ledger}.am_resolution (
  migration INT UNSIGNED NOT NULL,
  source_key VARBINARY(1024) NOT NULL,
  source_etag VARBINARY(255) NOT NULL,
  target_etag VARBINARY(255) NOT NULL,
  decided_at DATETIME(3) NOT NULL COMMENT 'UTC',
  decided_by VARCHAR(400) NOT NULL COMMENT 'user@host, as the database knows them',
  run BIGINT UNSIGNED NOT NULL,
  PRIMARY KEY (migration, source_key)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin
