-- Purpose: how large the rows that will move are, in bytes of a row image: an average of some of them.
-- Index: an index on the column, if there is one; else the table is read until enough are found. Locks: none (consistent read).
-- Rows: 1; zero rows sampled where no row is legacy. `every_column` is empty, and an error where one of them may not be read:
--          such columns are not shown either, and an image without them would be too small.
SELECT CAST(COUNT(*) AS UNSIGNED) AS sampled,
       CAST(COALESCE(AVG(image), 0) AS DOUBLE) AS image,
       CAST(COALESCE(AVG(without_blobs), 0) AS DOUBLE) AS without_blobs,
       CAST(COALESCE(AVG(key_image), 0) AS DOUBLE) AS key_image,
       CAST(COALESCE(AVG(changed), 0) AS DOUBLE) AS changed,
       CAST(COALESCE(AVG(path), 0) AS DOUBLE) AS path,
       CAST(COALESCE(AVG(row_key), 0) AS DOUBLE) AS row_key
FROM (SELECT {image} AS image, {without_blobs} AS without_blobs, {key_image} AS key_image, {changed} AS changed,
             LENGTH({value}) AS path, LENGTH({row_key}) AS row_key
      FROM {table} AS a
      WHERE {legacy} AND NOT EXISTS (SELECT 1 FROM (SELECT * FROM {table} LIMIT 0) AS every_column)
      LIMIT 1000) AS some
