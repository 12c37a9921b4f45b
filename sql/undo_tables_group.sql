-- Purpose: what a rollback moves or leaves together: the journal lines with one key and one value. With a primary key that
--          is one row; without one all rows that hold the value.
-- Locks: none (temporary table). Rows: none.
CREATE OR REPLACE TEMPORARY TABLE {ledger}.am_undo_group (
  part INT UNSIGNED NOT NULL,
  id BINARY(32) NOT NULL,
  line_count BIGINT UNSIGNED NOT NULL,
  row_key VARBINARY(3072) NOT NULL,
  value VARBINARY(3000) NOT NULL,
  old_value VARBINARY(3000) NOT NULL,
  mapping SMALLINT UNSIGNED NULL,
  source_key VARBINARY(1024) NULL,
  target_key VARBINARY(1024) NULL,
  state ENUM('planned', 'changed', 'ambiguous', 'conflict', 'held', 'going', 'moved') NOT NULL,
  PRIMARY KEY (part, id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin
