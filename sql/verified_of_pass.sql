-- Purpose: whether a pass has verified any object at all.
-- Index: primary keys; the plan is read first. Locks: none. Rows: 0 or 1.
SELECT STRAIGHT_JOIN 1 AS verified
FROM {ledger}.am_plan AS p
JOIN {ledger}.am_object AS o ON o.migration = p.migration AND o.source_key = p.source_key
WHERE p.migration = ? AND p.run = ? AND p.pass = ? AND o.run = p.run AND o.state = 'verified'
LIMIT 1
