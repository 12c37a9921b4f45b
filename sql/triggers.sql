-- Purpose: the triggers of the schema, as far as this user may see them (privilege TRIGGER).
-- Index: none needed (information_schema). Locks: none. Rows: one a trigger.
SELECT trigger_name AS trigger_name, event_object_table AS table_name,
       CONCAT(action_timing, ' ', event_manipulation) AS at
FROM information_schema.triggers
WHERE event_object_schema = ? AND event_manipulation = 'UPDATE'
