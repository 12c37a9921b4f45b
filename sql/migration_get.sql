-- Purpose: the number of this migration. Index: fingerprint. Locks: none. Rows: 0 or 1.
SELECT id FROM {ledger}.am_migration WHERE fingerprint = ?
