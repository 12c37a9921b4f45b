-- Purpose: how a run ended. Index: primary key. Locks: one row of the ledger. Rows: 1.
UPDATE {ledger}.am_run SET finished_at = UTC_TIMESTAMP(3), exit_code = ? WHERE id = ?
