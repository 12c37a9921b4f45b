-- Purpose: the journal lines that a rollback looks at, for this session only. `id` is the hash of the row's key and of the
--          value that its last change left; `latest` marks that last change.
-- Locks: none (temporary table). Rows: none.
CREATE OR REPLACE TEMPORARY TABLE {ledger}.am_undo_line (
  change_id BIGINT UNSIGNED NOT NULL PRIMARY KEY,
  part INT UNSIGNED NOT NULL,
  id BINARY(32) NOT NULL,
  latest BOOLEAN NOT NULL,
  row_key VARBINARY(3072) NOT NULL,
  value VARBINARY(3000) NOT NULL,
  old_value VARBINARY(3000) NOT NULL,
  mapping SMALLINT UNSIGNED NULL,
  source_key VARBINARY(1024) NULL,
  target_key VARBINARY(1024) NULL,
  KEY by_id (part, id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin
