-- Purpose: for how long no legacy row was seen, in database time.
-- Index: primary key. Locks: none. Rows: 1.
SELECT TIMESTAMPDIFF(SECOND, clean_since, UTC_TIMESTAMP(3)) AS seconds FROM {ledger}.am_migration WHERE id = ?
