-- Purpose: the next window of verified objects that rows named by legacy paths when this pass was planned. Those that
--          earlier passes of the run have moved are not among them: they are the application's.
-- Index: by_state, by_pass of the paths. Locks: none. Rows: at most the window.
SELECT o.source_key, o.target_key, CAST(o.state AS CHAR) AS state, o.source_etag, o.target_etag, o.own_copy, o.sha256,
       CAST(o.proof AS CHAR) AS proof
FROM {ledger}.am_object AS o
WHERE o.migration = ? AND o.run = ? AND o.state = 'verified'
  AND EXISTS (SELECT 1 FROM {ledger}.am_path AS p
              WHERE p.migration = o.migration AND p.run = o.run AND p.pass = ? AND p.source_key = o.source_key)
  AND o.source_key > ?
ORDER BY o.source_key
LIMIT ?
