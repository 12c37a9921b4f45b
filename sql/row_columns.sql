-- Purpose: what a row of a table holds in a row image of the binary log: columns of a fixed size with it, and columns that
--          have to be measured with the bytes of their length (MariaDB: "Data Type Storage Requirements").
-- Index: none needed (information_schema). Locks: none. Rows: one a column; virtual ones are
--          logged too (measured).
SELECT c.column_name AS column_name, CAST(c.column_key = 'PRI' AS SIGNED) AS in_key,
       CAST(c.data_type LIKE '%blob' OR c.data_type LIKE '%text' OR c.data_type IN ('json', 'geometry') AS SIGNED) AS is_blob,
       CAST(CASE
         WHEN c.data_type IN ('tinyint', 'year', 'enum') THEN 1
         WHEN c.data_type = 'smallint' THEN 2
         WHEN c.data_type IN ('mediumint', 'date') THEN 3
         WHEN c.data_type IN ('int', 'float', 'inet4') THEN 4
         WHEN c.data_type IN ('bigint', 'double', 'set') THEN 8
         WHEN c.data_type IN ('uuid', 'inet6') THEN 16
         WHEN c.data_type = 'time' THEN 3 + (COALESCE(c.datetime_precision, 0) + 1) DIV 2
         WHEN c.data_type = 'timestamp' THEN 4 + (COALESCE(c.datetime_precision, 0) + 1) DIV 2
         WHEN c.data_type = 'datetime' THEN 5 + (COALESCE(c.datetime_precision, 0) + 1) DIV 2
         WHEN c.data_type = 'decimal' THEN 1 + (c.numeric_precision * 4 + 8) DIV 9
         WHEN c.data_type = 'bit' THEN (c.numeric_precision + 7) DIV 8
       END AS UNSIGNED) AS fixed_bytes,
       CAST(CASE
         WHEN c.data_type IN ('tinyblob', 'tinytext') THEN 1
         WHEN c.data_type IN ('blob', 'text') THEN 2
         WHEN c.data_type IN ('mediumblob', 'mediumtext') THEN 3
         WHEN c.data_type IN ('char', 'binary', 'varchar', 'varbinary') THEN IF(c.character_octet_length > 255, 2, 1)
         ELSE 4
       END AS UNSIGNED) AS length_bytes
FROM information_schema.columns AS c
WHERE c.table_schema = ? AND c.table_name = ?
ORDER BY c.ordinal_position
