-- Purpose: the next window of verified objects that rows named by legacy paths when this pass was planned. Those that
--          earlier passes of the run have moved are not among them: they are the application's.
-- Index: primary keys; the plan is read first, as a run that watches has long verified more than a pass plans. Locks: none.
-- Rows: at most the window.
SELECT STRAIGHT_JOIN o.source_key, o.target_key, CAST(o.state AS CHAR) AS state, o.source_etag, o.target_etag, o.own_copy,
       o.sha256, CAST(o.proof AS CHAR) AS proof
FROM (SELECT n.migration, n.run, n.source_key
      FROM {ledger}.am_plan AS n
      WHERE n.migration = ? AND n.run = ? AND n.pass = ? AND n.source_key > ?
        AND EXISTS (SELECT 1 FROM {ledger}.am_object AS i
                    WHERE i.migration = n.migration AND i.source_key = n.source_key AND i.run = n.run
                      AND i.state = 'verified')
      GROUP BY n.source_key
      ORDER BY n.source_key
      LIMIT ?) AS p
JOIN {ledger}.am_object AS o ON o.migration = p.migration AND o.source_key = p.source_key
ORDER BY o.source_key
