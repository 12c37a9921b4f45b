-- Purpose: how many journaled rows are in which state, and how their objects stand.
-- Index: primary keys. Locks: none (temporary tables). Rows: one a pair of states.
SELECT CAST(g.state AS CHAR) AS state, CAST(COALESCE(o.state, 'unseen') AS CHAR) AS object,
       CAST(SUM(g.line_count) AS UNSIGNED) AS line_count
FROM {ledger}.am_undo_group AS g
LEFT JOIN {ledger}.am_undo_object AS o ON o.source_key = g.source_key
GROUP BY g.state, o.state
