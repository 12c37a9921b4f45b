//! A whole migration of millions of rows, phase by phase: what docs/scale.md extends to billions.
//!
//! All objects are in place before, so that `copy` looks at them and copies none: a copy costs what the rows `latency` and
//! `workers` say, however many there are.

use anyhow::{Context, Result};
use avatar_migrate_kit::EmbeddedS3;
use serde_json::Value;
use sqlx::{AssertSqlSafe, Row as _};

use crate::bench::Bench;
use crate::fleet::{alike_objects, twins, world};
use crate::results::Row;
use crate::watched::{self, Seen};
use crate::world::{World, phases};

const IN_PIECES: [&str; 3] = ["copy", "--transaction-rows", "10000"];
const AT_ONCE: [&str; 1] = ["copy"];
const VERIFY: [&str; 3] = ["verify", "--report", "out.csv"];
const FINALIZE: [&str; 2] = ["finalize", "--yes"];

pub(crate) fn million(bench: &Bench, row: &mut Row) -> Result<()> {
    migrate(bench, row, bench.options.scale(1_000_000, 10_000), Steps::All)
}

pub(crate) fn ten_million(bench: &Bench, row: &mut Row) -> Result<()> {
    migrate(bench, row, bench.options.scale(10_000_000, 100_000), Steps::InPieces)
}

/// What is measured.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Steps {
    /// Copy in pieces, verify; then the same rows in one transaction, and finalize.
    All,
    /// Copy in pieces, verify: the rest would double the hours, and fill the disk of a small machine.
    InPieces,
}

fn migrate(bench: &Bench, row: &mut Row, count: usize, steps: Steps) -> Result<()> {
    bench.step(&format!("the embedded server takes {count} objects and their twins, MariaDB as many rows"));
    let server = alike_objects(count)?;
    twins(&server);
    let world = world(&server)?;
    world.rows("image/", count, 1)?;
    let scale = Scale { bench, server: &server, world: &world, count: count as f64 };
    scale.command(row, "copy --transaction-rows 10000", &IN_PIECES)?;
    scale.ledger(row)?;
    scale.command(row, "verify", &VERIFY)?;
    std::fs::remove_file(world.directory.path().join("out.csv")).context("there is no report")?;
    if steps == Steps::All {
        // The same rows once more, planned anew.
        world.database.execute("TRUNCATE TABLE avatars")?;
        world.drop_ledger()?;
        world.rows("image/", count, 1)?;
        scale.command(row, "copy", &AT_ONCE)?;
        scale.command(row, "finalize", &FINALIZE)?;
    }
    row.notes.push(format!(
        "{count} rows and objects, one round. Seconds of processor are the program's and the server's own; on a machine that is shared \
         with other work, as it was here, seconds by the clock say less."
    ));
    Ok(())
}

struct Scale<'a> {
    bench: &'a Bench,
    server: &'a EmbeddedS3,
    world: &'a World,
    count: f64,
}

impl Scale<'_> {
    fn command(&self, row: &mut Row, who: &str, command: &[&str]) -> Result<()> {
        self.bench.step(who);
        let database = self.world.database.mariadb();
        // What was logged is not needed any more, and ten million rows would fill the disk.
        database.execute("RESET MASTER")?;
        self.server.reset_requests();
        let program = self.world.program(command);
        let before = database.pid().and_then(watched::cpu_seconds);
        let (seen, said, log) = watched::run(&program)?;
        let after = database.pid().and_then(watched::cpu_seconds);
        row.command(program.typed());
        let summary: Value = serde_json::from_str(&said).context("the summary is no JSON")?;
        let moved = summary.pointer("/rows/updated").and_then(Value::as_f64);
        anyhow::ensure!(moved.is_none_or(|moved| moved == self.count), "not all rows moved: {summary}");
        let told = phases(&log);
        for (phase, seconds) in &told {
            self.note(row, who, &format!("phase {phase}"), "s", *seconds);
        }
        let Seen { wall, cpu, memory, unnamed_files } = seen;
        self.note(row, who, "looks and the rest", "s", wall - told.values().sum::<f64>());
        self.note(row, who, "wall", "s", wall);
        self.note(row, who, "client CPU", "s", cpu);
        self.note(row, who, "MariaDB's CPU", "s", after.unwrap_or_default() - before.unwrap_or_default());
        self.note(row, who, "peak memory", "MB", memory);
        self.note(row, who, "temporary files", "MB", unnamed_files);
        self.note(row, who, "binary log", "bytes a row", self.binlog()? / self.count);
        for (operation, requests) in self.server.requests() {
            self.note(row, who, &operation, "requests a million", requests as f64 * 1e6 / self.count);
        }
        Ok(())
    }

    /// What the ledger's tables hold on disk, a row.
    fn ledger(&self, row: &mut Row) -> Result<()> {
        let sql = format!(
            "SELECT CONCAT('ledger, ', name), CAST(file_size AS DOUBLE) FROM information_schema.innodb_sys_tablespaces \
             WHERE name LIKE '{}/am\\_%' AND file_size > 1000000 ORDER BY name",
            self.world.ledger()
        );
        for (name, bytes) in self.figures(&sql)? {
            let name = name.replace(&format!("{}/", self.world.ledger()), "");
            self.note(row, "copy --transaction-rows 10000", &name, "bytes a row", bytes / self.count);
        }
        Ok(())
    }

    fn binlog(&self) -> Result<f64> {
        Ok(self.figures("SHOW BINARY LOGS")?.into_iter().map(|(_, bytes)| bytes).sum())
    }

    /// Names and numbers that a query gives.
    fn figures(&self, sql: &str) -> Result<Vec<(String, f64)>> {
        let database = self.world.database.mariadb();
        self.bench.runtime.block_on(async {
            let mut connection = database.connect(self.world.database.name()).await?;
            let rows = sqlx::query(AssertSqlSafe(sql.to_owned())).fetch_all(&mut connection).await?;
            let figure = |row: &sqlx::mysql::MySqlRow| {
                let bytes = row.try_get::<f64, _>(1).or_else(|_| row.try_get::<u64, _>(1).map(|bytes| bytes as f64))?;
                Ok((row.try_get(0)?, bytes))
            };
            rows.iter().map(figure).collect()
        })
    }

    fn note(&self, row: &mut Row, who: &str, what: &str, unit: &str, sample: f64) {
        self.bench.step(&format!("  {who}: {what} {sample:.3} {unit}"));
        row.measure(who, what, unit, sample);
    }
}
