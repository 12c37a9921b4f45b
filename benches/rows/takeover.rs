//! A worker dies: how long until another one takes over what it was at, and how many copies are made twice.

use anyhow::Result;
use sqlx::{AssertSqlSafe, Row as _};

use super::workers::{AT_ONCE, FAR};
use crate::bench::Bench;
use crate::crew::Crew;
use crate::faraway::Faraway;
use crate::fleet::{SOURCE, TARGET};
use crate::results::{Limit, Row};
use crate::world::World;

const LEASE: f64 = 5.0;
/// The trials of what the server enforces are copies, too.
const TRIALS: f64 = 5.0;
/// Who is killed: the worker that was started first has most likely planned, and holds the lock of the run.
const VICTIMS: [(&str, usize); 2] = [("the second worker", 1), ("the first worker", 0)];

pub(crate) fn measure(bench: &Bench, row: &mut Row) -> Result<()> {
    let count = bench.options.scale(20_000, 6_000);
    bench.step(&format!("a server of its own takes {count} objects"));
    let mut server = Faraway::start(count, FAR)?;
    for round in 0..bench.options.rounds.min(2) {
        for (who, nth) in VICTIMS {
            bench.step(&format!("round {}: {who} is killed", round + 1));
            killed(bench, row, &mut server, count, (who, nth))?;
        }
    }
    let of_all = |what: &str| VICTIMS.iter().flat_map(|(who, _)| row.samples(who, what)).collect::<Vec<f64>>();
    let (taken, twice) = (of_all("until its range is taken over"), of_all("copies made twice"));
    row.goal("from a worker's death until its range is taken over", "leases", Limit::AtMost(2.0), taken);
    row.goal("copies made twice after it", "", Limit::AtMost(1000.0), twice);
    Ok(())
}

fn killed(bench: &Bench, row: &mut Row, server: &mut Faraway, count: usize, (who, nth): (&str, usize)) -> Result<()> {
    server.empty()?;
    let world = World::new(&server.at, SOURCE, TARGET)?;
    world.rows("image/", count, 1)?;
    let lease = format!("{LEASE}s");
    let command = ["copy", "--workers", "join", "--concurrency", AT_ONCE, "--lease", &lease, "--range-objects", "2000"];
    let program = world.program(&command);
    row.command(program.typed());
    let mut crew = Crew::start(&program, 2)?;
    while (server.copies()? as f64) < count as f64 * 0.3 {
        anyhow::ensure!(crew.works()?, "the workers ended before one was killed");
    }
    crew.kill(nth)?;
    let died: f64 = ask(bench, &world, "SELECT CAST(UNIX_TIMESTAMP(UTC_TIMESTAMP(6)) AS DOUBLE)")?.unwrap_or_default();
    while crew.works()? {}
    crew.ended_well()?;
    let taken_over = format!(
        "SELECT CAST(MIN(UNIX_TIMESTAMP(claimed_at)) AS DOUBLE) FROM `{}`.am_range WHERE stage = 'copy' AND claims > 1",
        world.ledger()
    );
    if let Some(taken) = ask(bench, &world, &taken_over)? {
        row.measure(who, "until its range is taken over", "leases", (taken - died) / LEASE);
    } else {
        row.notes.push(format!("{who}: it had finished its range when it died."));
    }
    row.measure(who, "copies made twice", "", (server.copies()? as f64 - count as f64 - TRIALS).max(0.0));
    Ok(())
}

fn ask(bench: &Bench, world: &World, sql: &str) -> Result<Option<f64>> {
    bench.runtime.block_on(async {
        let mut connection = world.database.connect().await?;
        let row = sqlx::query(AssertSqlSafe(sql.to_owned())).fetch_one(&mut connection).await?;
        Ok(row.try_get(0)?)
    })
}
