-- Purpose: the columns of every primary and unique key, in order. Without a privilege on a column its line is absent.
-- Index: none needed (information_schema). Locks: none. Rows: one a key column.
SELECT s.table_name AS table_name, s.index_name AS index_name, s.column_name AS column_name,
       CAST(s.sub_part AS UNSIGNED) AS sub_part,
       c.data_type IN ('binary', 'varbinary', 'tinyblob', 'blob', 'mediumblob', 'longblob', 'bit') AS is_binary,
       c.data_type NOT IN ('enum', 'set', 'bit', 'float', 'timestamp') AS is_seekable
FROM information_schema.statistics AS s
JOIN information_schema.columns AS c
  ON c.table_schema = s.table_schema AND c.table_name = s.table_name AND c.column_name = s.column_name
WHERE s.table_schema = ? AND s.non_unique = 0
ORDER BY s.table_name, s.index_name, s.seq_in_index
