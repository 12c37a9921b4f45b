-- Purpose: the last line of the journal, to tell those that follow.
-- Index: the primary key, from its end. Locks: none. Rows: 1.
SELECT CAST(COALESCE(MAX(id), 0) AS UNSIGNED) AS id FROM {ledger}.am_row_change
