-- Purpose: the last part of a run's journal, so that who takes the run over never uses one twice.
-- Index: primary key. Locks: none. Rows: 1; 0 if it has none.
SELECT CAST(COALESCE(MAX(part), 0) AS UNSIGNED) AS part FROM {ledger}.am_part WHERE run = ?
