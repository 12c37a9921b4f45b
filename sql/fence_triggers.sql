-- Purpose: all triggers before an insert or update, to find fences among them. Without the TRIGGER privilege there are none
--          to be seen, or their texts are NULL.
-- Index: none needed (information_schema). Locks: none. Rows: one a trigger.
SELECT event_object_table AS table_name, trigger_name AS trigger_name, event_manipulation AS event,
       CAST(action_order AS SIGNED) AS place, COALESCE(CAST(action_statement AS CHAR), '') AS body
FROM information_schema.triggers
WHERE trigger_schema = ? AND action_timing = 'BEFORE' AND event_manipulation IN ('INSERT', 'UPDATE')
