-- Purpose: the groups of those lines.
-- Index: by_id. Locks: none (temporary tables). Rows: one a group.
INSERT INTO {ledger}.am_undo_group
  (part, id, line_count, row_key, value, old_value, mapping, source_key, target_key, state)
SELECT part, id, COUNT(*), MAX(row_key), MAX(value), MAX(old_value), MAX(mapping), MAX(source_key), MAX(target_key), 'planned'
FROM {ledger}.am_undo_line
WHERE latest
GROUP BY part, id
