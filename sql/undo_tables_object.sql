-- Purpose: the objects that the rows of a rollback need in the legacy bucket, and what was seen of them.
-- Locks: none (temporary table). Rows: none.
CREATE OR REPLACE TEMPORARY TABLE {ledger}.am_undo_object (
  source_key VARBINARY(1024) NOT NULL PRIMARY KEY,
  target_key VARBINARY(1024) NOT NULL,
  state ENUM('unseen', 'there', 'missing', 'superseded', 'failed') NOT NULL,
  KEY by_state (state, source_key)
) ENGINE = InnoDB
