-- Purpose: settings of the server that decide whether a cutover is possible. Locks: none. Rows: 1.
SELECT CAST(@@GLOBAL.log_bin AS SIGNED) AS log_bin, CAST(@@GLOBAL.read_only AS SIGNED) AS read_only,
       CAST(@@SESSION.binlog_format AS CHAR) AS binlog_format
