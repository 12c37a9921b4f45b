-- Purpose: one line per object: what the last run that dealt with it knows. It counts only while the live ETags equal
--          the recorded ones.
CREATE TABLE IF NOT EXISTS {ledger}.am_object (
  migration INT UNSIGNED NOT NULL,
  source_key VARBINARY(1024) NOT NULL,
  target_key VARBINARY(1024) NOT NULL,
  state ENUM('planned', 'verified', 'missing_source', 'conflict', 'source_changed', 'refused', 'failed', 'deleted') NOT NULL,
  run BIGINT UNSIGNED NOT NULL COMMENT 'the run that set the state',
  pass INT UNSIGNED NOT NULL COMMENT 'the pass of that run whose rows may move to it; 0 if none may',
  size BIGINT UNSIGNED NULL COMMENT 'bytes',
  source_etag VARBINARY(255) NULL,
  target_etag VARBINARY(255) NULL,
  own_copy BOOLEAN NOT NULL DEFAULT FALSE COMMENT 'this migration wrote the target object with target_etag',
  sha256 BINARY(32) NULL,
  proof ENUM('etag', 'checksum', 'sha256', 'ledger') NULL,
  detail VARCHAR(1000) NULL,
  PRIMARY KEY (migration, source_key),
  KEY by_state (migration, run, state, source_key)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin
