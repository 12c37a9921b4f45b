-- Purpose: what all workers of a run have done in its stages of copying, or in one of finalize.
-- Index: primary key. Locks: none. Rows: 1.
SELECT CAST(COALESCE(SUM(objects), 0) AS UNSIGNED) AS objects, CAST(COALESCE(SUM(bytes), 0) AS UNSIGNED) AS bytes,
       CAST(COALESCE(SUM(changed), 0) AS UNSIGNED) AS changed, CAST(COALESCE(SUM(failed), 0) AS UNSIGNED) AS failed
FROM {ledger}.am_range
WHERE run = ? AND (stage = ? OR (? AND stage IN ('copy', 'look', 'look_again')))
