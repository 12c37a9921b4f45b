-- Purpose: one line per writing run: history, and the holder of the lock.
CREATE TABLE IF NOT EXISTS {ledger}.am_run (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  migration INT UNSIGNED NOT NULL,
  command VARCHAR(16) NOT NULL,
  host VARCHAR(255) NOT NULL,
  pid INT UNSIGNED NOT NULL,
  connection_id BIGINT UNSIGNED NOT NULL,
  started_at DATETIME(3) NOT NULL COMMENT 'UTC',
  heartbeat_at DATETIME(3) NOT NULL COMMENT 'UTC',
  finished_at DATETIME(3) NULL COMMENT 'UTC',
  exit_code TINYINT UNSIGNED NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin
