-- Purpose: the key of the last row that the next transaction looks at, when rows move in several ones.
-- Index: primary key, from where the transaction before ended. Locks: none (consistent read). Rows: 1; none at the end.
SELECT {keys}
FROM {table} AS a
WHERE ({legacy}){rows}
ORDER BY {order}
LIMIT 1 OFFSET ?
