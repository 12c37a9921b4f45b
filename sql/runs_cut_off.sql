-- Purpose: the copies of this migration that moved rows and may have ended before their look after COMMIT did: those that
--          signed off in no orderly way (0 or 3) since the last one which did, and that one itself, of which objects may
--          have failed in that look. A run that signs off has looked at what the ones before it left.
-- Index: primary keys. Locks: none. Rows: one a run, hardly ever more than one.
SELECT r.id AS id, r.exit_code IS NOT NULL AND r.exit_code IN (0, 3) AS signed_off
FROM {ledger}.am_run AS r
WHERE r.migration = ? AND r.command = 'copy' AND r.id < ?
  AND r.id >= (SELECT COALESCE(MAX(s.id), 0) FROM {ledger}.am_run AS s
               WHERE s.migration = r.migration AND s.command = 'copy' AND s.exit_code IN (0, 3))
  AND EXISTS (SELECT 1 FROM {ledger}.am_part AS p WHERE p.run = r.id)
ORDER BY r.id
