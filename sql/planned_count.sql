-- Purpose: how many objects a pass has planned; one counts again for each other mapping that led to it.
-- Index: primary key alone. Locks: none. Rows: 1.
SELECT CAST(COUNT(*) AS UNSIGNED) AS planned
FROM {ledger}.am_plan
WHERE migration = ? AND run = ? AND pass = ?
