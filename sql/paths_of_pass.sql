-- Purpose: how many values a pass has planned: as many as objects, or more where several forms of a path name one.
-- Index: by_pass alone. Locks: none. Rows: 1.
SELECT CAST(COUNT(*) AS UNSIGNED) AS path_count
FROM {ledger}.am_path FORCE INDEX (by_pass)
WHERE migration = ? AND run = ? AND pass = ?
