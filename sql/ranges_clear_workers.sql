-- Purpose: a new writing run ends what earlier ones of its schema have shared: workers that are left of them lose their leases.
-- Index: by_run. Locks: rows of the ledger only. Rows: one a worker.
DELETE w FROM {ledger}.am_worker AS w
JOIN {ledger}.am_run AS r ON r.id = w.run
JOIN {ledger}.am_migration AS m ON m.id = r.migration
WHERE w.run < ? AND m.database_name = ?
