-- Purpose: how far a replica is behind, for each of its primaries.
-- Index: none. Locks: none. Rows: one a replication connection; none on a server that replicates from nobody.
SHOW ALL SLAVES STATUS
