-- Purpose: legacy rows of one reference and one mapping that are in conflict: their target holds other bytes, or a unique
--          key or anything else of the schema forbids their new path.
-- Index: primary keys of the ledger; the table is read once. Locks: none (consistent read). Rows: 1.
SELECT CAST(COUNT(*) AS UNSIGNED) AS blocked
FROM {table} AS a{urls}
JOIN {ledger}.am_object AS o ON o.migration = ? AND o.source_key = {source_key}
WHERE {legacy_prefix} AND o.run = ? AND (o.state IN ('conflict', 'refused') OR {clashes})
