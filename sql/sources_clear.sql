-- Purpose: a new writing run ends what earlier ones of its schema have shared.
-- Index: primary key. Locks: rows of the ledger only. Rows: one a source.
DELETE g FROM {ledger}.am_source AS g
JOIN {ledger}.am_run AS r ON r.id = g.run
JOIN {ledger}.am_migration AS m ON m.id = r.migration
WHERE g.run < ? AND m.database_name = ?
