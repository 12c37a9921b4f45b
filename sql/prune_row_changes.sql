-- Purpose: some journal lines of a part, so few that nobody waits for it.
-- Index: primary key. Locks: the rows that go. Rows: at most so many.
DELETE FROM {ledger}.am_row_change
WHERE id BETWEEN ? AND ? AND run = ? AND part = ?
LIMIT 10000
