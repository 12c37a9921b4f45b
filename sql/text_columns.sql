-- Purpose: every character column of a base table that is no generated column, with what decides how it is read.
--          LONGBLOB and MEDIUMBLOB are left out: they hold pictures, not paths. JSON is LONGTEXT with a CHECK here.
-- Index: none needed (information_schema). Locks: none. Rows: one a column.
SELECT c.table_name AS table_name, c.column_name AS column_name, c.data_type AS data_type,
       CAST(c.character_set_name AS CHAR) AS character_set_name,
       CAST(COALESCE(IF(c.data_type LIKE '%text' OR c.character_set_name IS NULL, c.character_octet_length,
                        c.character_maximum_length), 0) AS UNSIGNED) AS length_max,
       EXISTS (SELECT 1 FROM information_schema.check_constraints AS k
               WHERE k.constraint_schema = c.table_schema AND k.table_name = c.table_name
                 AND LOCATE(CONCAT('json_valid(`', LOWER(c.column_name), '`)'), LOWER(k.check_clause)) > 0) AS is_json,
       COALESCE(t.engine, '') AS engine
FROM information_schema.columns AS c
JOIN information_schema.tables AS t ON t.table_schema = c.table_schema AND t.table_name = c.table_name
WHERE c.table_schema = ?
  AND t.table_type IN ('BASE TABLE', 'SYSTEM VERSIONED')
  AND c.data_type IN ('char', 'varchar', 'tinytext', 'text', 'mediumtext', 'longtext', 'varbinary', 'tinyblob', 'blob')
  AND c.is_generated = 'NEVER'
ORDER BY c.table_name, c.ordinal_position
