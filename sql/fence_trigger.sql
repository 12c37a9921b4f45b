-- Purpose: one of the two triggers of a fence; made anew it runs after all others of its event. The table is not copied.
-- Locks: the table, for a moment, once its transactions have ended. Rows: none.
CREATE OR REPLACE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW
{body}
