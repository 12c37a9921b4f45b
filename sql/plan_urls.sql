-- Purpose: the head of a multi-row INSERT for values that are percent-decoded.
-- Locks: rows of the ledger only. Rows: 1 a new value, 2 one that an earlier run has met.
INSERT INTO {ledger}.am_url (migration, value, source_key, run) 
