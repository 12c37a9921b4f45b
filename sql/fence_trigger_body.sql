-- Purpose: what a trigger of a fence does. The server keeps the text as it stands, so that it can be compared.
-- Locks: none. Rows: none.
IF {legacy} THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'avatarMigrate fence: a legacy path'; END IF
