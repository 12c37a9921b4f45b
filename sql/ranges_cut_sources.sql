-- Purpose: the sources of a shared finalize that are in one state, cut into ranges of as many each. The last range goes on to
--          the end.
-- Index: primary key of the sources, read once. Locks: new rows of the ledger only. Rows: one a range.
INSERT INTO {ledger}.am_range (run, pass, stage, nth, turn, after_key, through_key)
WITH numbered AS (
  SELECT source_key, ROW_NUMBER() OVER (ORDER BY source_key) AS n FROM {ledger}.am_source WHERE run = ? AND state = ?
), cuts AS (
  SELECT n DIV ? AS nth, source_key AS cut FROM numbered WHERE n MOD ? = 0
  UNION ALL
  SELECT COALESCE(MAX(n), 0) DIV ? + 1, NULL FROM numbered
)
SELECT ?, ?, ?, nth, CRC32(nth), COALESCE(LAG(cut) OVER (ORDER BY nth), ''), cut FROM cuts
