-- Purpose: the decision about an object, in the place of an earlier one.
-- Index: primary key. Locks: one row of the ledger. Rows: 1 or 2.
REPLACE INTO {ledger}.am_resolution (migration, source_key, source_etag, target_etag, decided_at, decided_by, run)
VALUES (?, ?, ?, ?, UTC_TIMESTAMP(3), USER(), ?)
