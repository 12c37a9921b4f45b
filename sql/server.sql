-- Purpose: what the server is, its settings that decide whether a cutover is possible, and whether a count means anything. Locks: none.
-- Rows: 1. Slaves_running counts the replication threads that apply another server's changes; any user may read it.
SELECT CAST(@@version AS CHAR) AS version,
       CAST(@@GLOBAL.log_bin AS SIGNED) AS log_bin, CAST(@@GLOBAL.read_only AS SIGNED) AS read_only,
       CAST(@@SESSION.binlog_format AS CHAR) AS binlog_format,
       CAST(@@GLOBAL.max_binlog_cache_size AS UNSIGNED) AS binlog_cache_max, CAST(@@GLOBAL.sql_mode AS CHAR) AS sql_mode,
       CAST(@@GLOBAL.binlog_row_image AS CHAR) AS binlog_row_image,
       CAST(@@SESSION.binlog_annotate_row_events AS SIGNED) AS binlog_annotates,
       CAST(@@GLOBAL.innodb_log_file_size AS UNSIGNED) AS redo_log,
       CAST(@@GLOBAL.innodb_buffer_pool_size AS UNSIGNED) AS buffer_pool,
       CAST((SELECT variable_value FROM information_schema.global_status WHERE variable_name = 'SLAVES_RUNNING') AS SIGNED)
         AS replicating
