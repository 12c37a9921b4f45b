-- Purpose: one line per run that is shared among workers: what they are to do now, and how it ended.
CREATE TABLE IF NOT EXISTS {ledger}.am_share (
  run BIGINT UNSIGNED NOT NULL PRIMARY KEY,
  migration INT UNSIGNED NOT NULL,
  terms TEXT NOT NULL COMMENT 'settings that all workers have to agree on',
  holder BIGINT UNSIGNED NULL COMMENT 'the worker that holds the run lock',
  stage ENUM('alone', 'copy', 'look', 'look_again', 'orphans', 'delete') NOT NULL COMMENT 'alone: what cannot be shared',
  pass INT UNSIGNED NOT NULL,
  rows_moved BIGINT UNSIGNED NOT NULL COMMENT 'by the passes that are done',
  summary LONGTEXT NULL COMMENT 'what the run came to, as JSON'
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin
