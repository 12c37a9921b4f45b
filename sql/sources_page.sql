-- Purpose: the next sources of a range in one state.
-- Index: primary key. Locks: none. Rows: at most a page.
SELECT source_key, detail
FROM {ledger}.am_source
WHERE run = ? AND state = ? AND source_key > ? {through}
ORDER BY source_key
LIMIT ?
