-- Purpose: the rows of a column whose value may be a path of any class but foreign, or mention one.
-- Index: the primary key where rows are read in pages; an index on the column cannot serve every test.
-- Locks: none (consistent read). Rows: at most one page, or all where the table has no key.
SELECT {keys}{value} AS value, {clashes} AS clashes
FROM {table} AS a
WHERE {candidates} {after}
{order}
