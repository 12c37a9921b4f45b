-- Purpose: how many verified objects a range of keys holds.
-- Index: by_state. Locks: none. Rows: 1.
SELECT CAST(COUNT(*) AS UNSIGNED) AS objects
FROM {ledger}.am_object
WHERE migration = ? AND run = ? AND state = 'verified' AND source_key > ? {through}
