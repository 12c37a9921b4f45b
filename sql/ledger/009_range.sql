-- Purpose: the work of a stage of a shared run, cut into ranges of source keys that have nothing between them.
CREATE TABLE IF NOT EXISTS {ledger}.am_range (
  run BIGINT UNSIGNED NOT NULL,
  pass INT UNSIGNED NOT NULL,
  stage ENUM('alone', 'copy', 'look', 'look_again', 'orphans', 'delete') NOT NULL,
  nth INT UNSIGNED NOT NULL,
  turn INT UNSIGNED NOT NULL COMMENT 'in this order ranges are taken: not that of the keys, so that workers spread over the partitions of S3',
  after_key VARBINARY(1024) NOT NULL COMMENT 'exclusive',
  through_key VARBINARY(1024) NULL COMMENT 'inclusive; to the end if NULL',
  worker BIGINT UNSIGNED NULL COMMENT 'who is at it, or did it',
  claims INT UNSIGNED NOT NULL DEFAULT 0 COMMENT 'how often it was taken',
  claimed_at DATETIME(3) NULL COMMENT 'UTC',
  done_at DATETIME(3) NULL COMMENT 'UTC',
  objects BIGINT UNSIGNED NOT NULL DEFAULT 0 COMMENT 'copied or deleted',
  bytes BIGINT UNSIGNED NOT NULL DEFAULT 0 COMMENT 'copied',
  changed BIGINT UNSIGNED NOT NULL DEFAULT 0 COMMENT 'not deleted, as they were written meanwhile',
  failed BIGINT UNSIGNED NOT NULL DEFAULT 0 COMMENT 'could not be copied or deleted',
  PRIMARY KEY (run, pass, stage, nth),
  KEY open (run, pass, stage, done_at, turn)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin
