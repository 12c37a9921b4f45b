-- Purpose: start the grace clock at the first clean verify, or reset it when a legacy row was seen.
-- Index: primary key. Locks: one row of the ledger. Rows: 1.
UPDATE {ledger}.am_migration SET clean_since = IF(?, COALESCE(clean_since, UTC_TIMESTAMP(3)), NULL) WHERE id = ?
