-- Purpose: where the next transaction ends when rows move in several ones.
-- Index: by_state. Locks: none. Rows: 1; NULL if no verified object is left.
SELECT MAX(source_key) AS boundary
FROM (SELECT source_key FROM {ledger}.am_object
      WHERE migration = ? AND run = ? AND state = 'verified' AND source_key > ?
      ORDER BY source_key
      LIMIT ?) AS next
