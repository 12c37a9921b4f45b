-- Purpose: what the table holds of those groups: how many rows, and whether a unique key forbids their old path.
-- Locks: none (temporary table). Rows: none.
CREATE OR REPLACE TEMPORARY TABLE {ledger}.am_undo_row (
  part INT UNSIGNED NOT NULL,
  id BINARY(32) NOT NULL,
  held BIGINT UNSIGNED NOT NULL,
  clash BOOLEAN NOT NULL,
  PRIMARY KEY (part, id)
) ENGINE = InnoDB
