-- Purpose: one line per pair of schema and buckets, so that one ledger can serve several migrations of a server.
CREATE TABLE IF NOT EXISTS {ledger}.am_migration (
  id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  database_name VARCHAR(64) NOT NULL,
  source_bucket VARCHAR(255) NOT NULL,
  target_bucket VARCHAR(255) NOT NULL,
  mappings TEXT NOT NULL,
  fingerprint BINARY(32) NOT NULL COMMENT 'SHA-256 over the four columns before',
  clean_since DATETIME(3) NULL COMMENT 'first clean verify since the last legacy row was seen (UTC)',
  UNIQUE KEY fingerprint (fingerprint)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin
