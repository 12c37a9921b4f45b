-- Purpose: what all workers of a run have done in one kind of stage.
-- Index: primary key. Locks: none. Rows: 1.
SELECT CAST(COALESCE(SUM(objects), 0) AS UNSIGNED) AS objects, CAST(COALESCE(SUM(bytes), 0) AS UNSIGNED) AS bytes
FROM {ledger}.am_range
WHERE run = ? AND (stage = 'delete') = ?
