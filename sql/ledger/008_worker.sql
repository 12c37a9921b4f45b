-- Purpose: one line per worker of a shared run. While its lease lasts, nobody takes what it is at.
CREATE TABLE IF NOT EXISTS {ledger}.am_worker (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  run BIGINT UNSIGNED NOT NULL,
  host VARCHAR(255) NOT NULL,
  pid INT UNSIGNED NOT NULL,
  joined_at DATETIME(3) NOT NULL COMMENT 'UTC',
  lease_until DATETIME(3) NOT NULL COMMENT 'UTC; each heart-beat moves it on',
  left_at DATETIME(3) NULL COMMENT 'UTC',
  KEY by_run (run)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin
