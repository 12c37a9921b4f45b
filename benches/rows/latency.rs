//! A server that is far away: 50 ms more for every request. Here it counts how many run at once.

use std::time::Duration;

use anyhow::{Context, Result};
use avatar_migrate_kit::{EmbeddedS3, Strain, Tick};

use super::OURS;
use crate::bench::Bench;
use crate::endpoint::Endpoint;
use crate::fleet::{SOURCE, TARGET, empty_target, small_objects, world};
use crate::peers::Peer;
use crate::results::{Curve, Limit, Row, median};

/// Seconds of a tick of the server's book.
pub(super) const STEP: f64 = 0.1;
/// Ticks of a second, over which rates are averaged.
const SECOND: usize = 10;
const FAR: Duration = Duration::from_millis(50);

pub(crate) fn measure(bench: &Bench, row: &mut Row) -> Result<()> {
    let count = bench.options.scale(30_000, 3_000);
    bench.step(&format!("the embedded server takes {count} objects"));
    let server = small_objects(count)?;
    server.strain(Strain { latency: FAR, per_second: None });
    for round in 0..bench.options.rounds {
        bench.step(&format!("round {}: {OURS}", round + 1));
        let ticks = ours(&server, row, count)?;
        note(row, OURS, &ticks)?;
        let reached = reached(&ticks).context("there were no copies")?;
        row.measure(OURS, "until 80 % of the plateau", "s", reached);
        bench.step(&format!("round {}: s5cmd", round + 1));
        let ticks = s5cmd(&server, row)?;
        note(row, Peer::S5cmd.name(), &ticks)?;
    }
    let rates = row.samples(OURS, "copies a second");
    row.goal("copies a second, 50 ms away, `--concurrency auto`", "/s", Limit::AtLeast(2000.0), rates);
    let ratios = row.ratios("copies a second", OURS, Peer::S5cmd.name());
    row.goal("… against s5cmd with 256 workers", "×", Limit::AtLeast(1.0), ratios);
    let reached = row.samples(OURS, "until 80 % of the plateau");
    row.goal("… until 80 % of the plateau", "s", Limit::AtMost(5.0), reached);
    Ok(())
}

/// A copy of everything into an empty bucket; gives the copies of each tick.
pub(super) fn ours(server: &EmbeddedS3, row: &mut Row, count: usize) -> Result<Vec<Tick>> {
    empty_target(server);
    let world = world(server)?;
    world.rows("image/", count, 1)?;
    server.reset_requests();
    let migrated = world.run(&["copy"])?;
    anyhow::ensure!(migrated.number("/rows/updated")? == count as u64, "not all rows moved");
    row.command(world.program(&["copy"]).typed());
    row.measure(OURS, "wall", "s", migrated.ended.usage.wall);
    row.measure(OURS, "client CPU", "s", migrated.ended.usage.cpu);
    row.measure(OURS, "phase copy", "s", migrated.phase("copy")?);
    Ok(copies(server))
}

/// The same by s5cmd.
pub(super) fn s5cmd(server: &EmbeddedS3, row: &mut Row) -> Result<Vec<Tick>> {
    empty_target(server);
    let directory = tempfile::tempdir()?;
    let program = Peer::S5cmd.copy(&Endpoint::of_embedded(server), SOURCE, TARGET, directory.path())?;
    server.reset_requests();
    let ended = program.run()?;
    row.command(program.typed());
    row.measure(Peer::S5cmd.name(), "wall", "s", ended.usage.wall);
    row.measure(Peer::S5cmd.name(), "client CPU", "s", ended.usage.cpu);
    Ok(copies(server))
}

/// The copies of each tick, from the first one on. Trials of conditions, a handful, come before.
fn copies(server: &EmbeddedS3) -> Vec<Tick> {
    const TRIALS: u64 = 5;
    let ticks = server.ticks("CopyObject");
    let first = ticks.iter().position(|tick| tick.admitted + tick.refused > TRIALS).unwrap_or(0);
    ticks.into_iter().skip(first).collect()
}

fn note(row: &mut Row, who: &str, ticks: &[Tick]) -> Result<()> {
    let counts: Vec<u64> = ticks.iter().map(|tick| tick.admitted).collect();
    let rate = counts.iter().sum::<u64>() as f64 / (counts.len() as f64 * STEP);
    row.measure(who, "copies a second", "/s", rate);
    row.measure(who, "plateau", "/s", plateau(&counts).context("there were no copies")?);
    if !row.curves.iter().any(|curve| curve.who == who) {
        row.curves.push(Curve { who: who.to_owned(), step: STEP, counts });
    }
    Ok(())
}

/// The rate that a run settles at: the median second of its second half.
fn plateau(counts: &[u64]) -> Option<f64> {
    let rates: Vec<f64> = rates(counts).collect();
    let (_, late) = rates.split_at(rates.len() / 2);
    median(late)
}

/// Copies in the second that begins with each tick.
fn rates(counts: &[u64]) -> impl Iterator<Item = f64> {
    counts
        .windows(SECOND.min(counts.len().max(1)))
        .map(|window| window.iter().sum::<u64>() as f64 / (window.len() as f64 * STEP))
}

/// When the first second with 80 % of the plateau was over.
fn reached(ticks: &[Tick]) -> Option<f64> {
    let counts: Vec<u64> = ticks.iter().map(|tick| tick.admitted).collect();
    let enough = plateau(&counts)? * 0.8;
    let first = rates(&counts).position(|rate| rate >= enough)?;
    Some((first + SECOND) as f64 * STEP)
}
