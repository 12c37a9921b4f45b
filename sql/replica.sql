-- Purpose: whether the server replicates from another one; takes REPLICA MONITOR (or SLAVE MONITOR). Locks: none.
-- Rows: none on a server that is no replica.
SHOW REPLICA STATUS
