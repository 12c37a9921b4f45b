-- Purpose: when rows were moved last, and by which run.
-- Index: primary key, backwards. Locks: none. Rows: 0 or 1.
SELECT run, DATE_FORMAT(changed_at, '%Y-%m-%dT%H:%i:%sZ') AS at
FROM {ledger}.am_part
WHERE migration = ?
ORDER BY run DESC, part DESC
LIMIT 1
