-- Purpose: what the journal lines just written have in common, and where they are.
-- Index: primary key of the journal, from its end. Locks: none. Rows: 1.
INSERT INTO {ledger}.am_part
  (run, part, migration, table_name, column_name, legacy_prefix, modern_prefix, changed_at, first_id, last_id)
SELECT ?, ?, ?, ?, ?, ?, ?, UTC_TIMESTAMP(6), ?, MAX(id)
FROM {ledger}.am_row_change
