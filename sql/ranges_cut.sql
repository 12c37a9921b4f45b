-- Purpose: the objects of a pass cut into ranges of about as many each, by a sample of their keys: one that depends on
--          the key alone, so that an object which several mappings lead to counts once. The last range goes on to the end.
-- Index: primary key of the plan, read once. Locks: new rows of the ledger only. Rows: one a range.
INSERT INTO {ledger}.am_range (run, pass, stage, nth, turn, after_key, through_key)
WITH sample AS (
  SELECT DISTINCT source_key FROM {ledger}.am_plan
  WHERE migration = ? AND run = ? AND pass = ? AND CRC32(source_key) MOD ? = 0
), numbered AS (
  SELECT source_key, ROW_NUMBER() OVER (ORDER BY source_key) AS n FROM sample
), cuts AS (
  SELECT n DIV ? AS nth, source_key AS cut FROM numbered WHERE n MOD ? = 0
  UNION ALL
  SELECT COALESCE(MAX(n), 0) DIV ? + 1, NULL FROM numbered
)
SELECT ?, ?, 'copy', nth, CRC32(nth), COALESCE(LAG(cut) OVER (ORDER BY nth), ''), cut FROM cuts
