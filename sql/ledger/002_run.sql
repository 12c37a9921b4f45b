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
  exit_code TINYINT UNSIGNED NULL,
  phase VARCHAR(64) NULL COMMENT 'what it was at when its heart beat last',
  phase_done BIGINT UNSIGNED NULL,
  phase_total BIGINT UNSIGNED NULL,
  phase_unit VARCHAR(64) NULL,
  phase_seconds DOUBLE NULL COMMENT 'since the phase began'
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin
