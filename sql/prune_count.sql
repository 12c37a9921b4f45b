-- Purpose: how much of the ledger the runs of this migration through one have left that is history by now.
-- Index: primary key of the plans, by_run of the URLs, by_state of the objects; the journal is read once. Locks: none. Rows: 1.
SELECT CAST((SELECT COUNT(*) FROM {ledger}.am_plan WHERE migration = ? AND run <= ?)
            + (SELECT COUNT(*) FROM {ledger}.am_url WHERE migration = ? AND run <= ?) AS UNSIGNED) AS paths,
       CAST((SELECT COUNT(*) FROM {ledger}.am_object
             WHERE migration = ? AND run <= ? AND state = 'deleted') AS UNSIGNED) AS objects,
       CAST((SELECT STRAIGHT_JOIN COUNT(*)
             FROM {ledger}.am_row_change AS j
             JOIN {ledger}.am_part AS p ON p.run = j.run AND p.part = j.part
             WHERE p.migration = ? AND p.run <= ?) AS UNSIGNED) AS row_changes
