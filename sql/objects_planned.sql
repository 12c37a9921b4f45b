-- Purpose: the next window of the objects that a pass has planned, with what the ledger knows of them. What this run has
--          found immovable stays so. Recorded ETags tell our own copies. The grouping follows the index, so that it ends
--          with the window.
-- Index: primary keys. Locks: none. Rows: at most the window.
SELECT p.source_key, p.target_key, 'planned' AS state, o.source_etag, o.target_etag,
       COALESCE(o.own_copy, FALSE) AS own_copy, o.sha256, CAST(o.proof AS CHAR) AS proof
FROM (SELECT n.migration, n.source_key, MIN(n.target_key) AS target_key
      FROM {ledger}.am_plan AS n
      WHERE n.migration = ? AND n.run = ? AND n.pass = ? AND n.source_key > ?
        AND NOT EXISTS (SELECT 1 FROM {ledger}.am_object AS i
                        WHERE i.migration = n.migration AND i.source_key = n.source_key AND i.run = n.run
                          AND i.state IN ('missing_source', 'conflict', 'source_changed', 'refused', 'failed'))
      GROUP BY n.source_key
      ORDER BY n.source_key
      LIMIT ?) AS p
LEFT JOIN {ledger}.am_object AS o ON o.migration = p.migration AND o.source_key = p.source_key
ORDER BY p.source_key
