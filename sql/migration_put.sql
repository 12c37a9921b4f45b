-- Purpose: the line of this migration, once. Index: fingerprint. Locks: one row of the ledger. Rows: 0 or 1.
INSERT IGNORE INTO {ledger}.am_migration (database_name, source_bucket, target_bucket, mappings, fingerprint)
VALUES (?, ?, ?, ?, ?)
