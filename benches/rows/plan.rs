//! The plan of a million rows, against the statement that one would write by hand.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};

use super::OURS;
use crate::bench::Bench;
use crate::fleet::{small_objects, world};
use crate::results::{Limit, Row};
use crate::world::{World, phase};

/// What one would write by hand.
const BARE: &str = "INSERT … SELECT DISTINCT";

pub(crate) fn measure(bench: &Bench, row: &mut Row) -> Result<()> {
    let count = bench.options.scale(1_000_000, 20_000);
    // No object is needed to plan.
    let server = small_objects(0)?;
    let world = world(&server)?;
    bench.step(&format!("MariaDB takes {count} rows"));
    world.rows("image/", count, 1)?;
    for round in 0..bench.options.rounds {
        bench.step(&format!("round {}: {BARE}", round + 1));
        let seconds = bare(&world)?;
        row.measure(BARE, "plan", "s", seconds);
        bench.step(&format!("round {}: {OURS}", round + 1));
        world.drop_ledger()?;
        let seconds = ours(&world)?;
        row.measure(OURS, "plan", "s", seconds);
    }
    row.command(world.program(&["copy"]).typed());
    let ratios = row.ratios("plan", OURS, BARE);
    row.goal("plan of 1,000,000 rows, against a bare `INSERT … SELECT DISTINCT`", "×", Limit::AtMost(0.5), ratios);
    Ok(())
}

fn bare(world: &World) -> Result<f64> {
    let create = "CREATE OR REPLACE TABLE work (value VARBINARY(1024) NOT NULL PRIMARY KEY)";
    world.database.execute(create)?;
    let begun = Instant::now();
    world
        .database
        .execute("INSERT INTO work SELECT DISTINCT CAST(path AS BINARY) FROM avatars WHERE path LIKE 'image/%'")?;
    let seconds = begun.elapsed().as_secs_f64();
    world.database.execute("DROP TABLE work")?;
    Ok(seconds)
}

/// Runs `copy` until its plan stands, and stops it there.
fn ours(world: &World) -> Result<f64> {
    let mut child = world.program(&["copy"]).command().stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
    let log = BufReader::new(child.stderr.take().context("no log")?);
    let mut said = Vec::new();
    let mut planned = None;
    for line in log.lines() {
        let line = line.context("the log cannot be read")?;
        if let Some((name, seconds)) = phase(&line)
            && name == "plan"
            && planned.is_none()
        {
            planned = Some(seconds);
            Command::new("kill").args(["-INT", &child.id().to_string()]).status().context("kill does not run")?;
        }
        said.push(line);
    }
    child.wait().context("the program cannot be waited for")?;
    let Some(planned) = planned else { bail!("there was no plan:\n{}", said.join("\n")) };
    Ok(planned)
}
