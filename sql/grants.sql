-- Purpose: the grants of this user and of its enabled roles, which information_schema does not show. Locks: none.
-- Rows: one a grant.
SHOW GRANTS
