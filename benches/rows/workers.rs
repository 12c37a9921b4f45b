//! How much faster a run is that several workers share. Client, server and database share this machine's cores, so that what
//! each takes of the processor is told, too: it says what bounds them.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::bench::Bench;
use crate::crew::Crew;
use crate::faraway::Faraway;
use crate::fleet::{SOURCE, TARGET};
use crate::results::{Limit, Row};
use crate::watched::cpu_seconds;
use crate::world::{World, mariadb};

/// Every request takes so much longer.
pub(super) const FAR: Duration = Duration::from_millis(50);
/// Requests that a worker has under way: few enough that it waits for answers and not for the processor, as on a machine of
/// its own.
pub(super) const AT_ONCE: &str = "32";
/// What is measured lies between these shares of the objects: neither the plan nor the last range, which not all work at.
const SHARES: (f64, f64) = (0.1, 0.9);

pub(crate) fn measure(bench: &Bench, row: &mut Row) -> Result<()> {
    let count = bench.options.scale(30_000, 4_000);
    bench.step(&format!("a server of its own takes {count} objects"));
    let mut server = Faraway::start(count, FAR)?;
    for round in 0..bench.options.rounds.min(2) {
        for (concurrency, crews) in [(AT_ONCE, &[1, 2, 4][..]), ("auto", &[1, 2])] {
            for &workers in crews {
                let who = name(workers, concurrency);
                bench.step(&format!("round {}: {who}", round + 1));
                shared(row, &mut server, count, (workers, concurrency), &who)?;
            }
        }
    }
    let what = "copies a second";
    let two = row.ratios(what, &name(2, AT_ONCE), &name(1, AT_ONCE));
    let goal = "2 workers against 1, each waiting for answers (`--concurrency 32`)";
    row.goal(goal, "×", Limit::AtLeast(1.8), two);
    let four = row.ratios(what, &name(4, AT_ONCE), &name(1, AT_ONCE));
    row.goal("4 workers against 1, the same", "×", Limit::AtLeast(3.2), four);
    row.notes.push(
        "Copies a second are counted between the first and the last tenth of the objects, when all workers are at it. With `auto` a \
         worker has up to 256 requests under way, which wait for answers as well, until the two cores that client, server and \
         MariaDB share are busy. What an object takes of each says how many machines of which size would be busy."
            .to_owned(),
    );
    Ok(())
}

fn name(workers: usize, concurrency: &str) -> String {
    let noun = if workers == 1 { "worker" } else { "workers" };
    if concurrency == "auto" { format!("{workers} {noun}, auto") } else { format!("{workers} {noun}") }
}

/// A moment of a run: seconds, copies, and seconds of processor of clients, server and MariaDB.
#[derive(Clone, Copy)]
struct Moment {
    at: f64,
    copies: u64,
    cpu: [f64; 3],
}

fn shared(
    row: &mut Row,
    server: &mut Faraway,
    count: usize,
    (workers, concurrency): (usize, &str),
    who: &str,
) -> Result<()> {
    server.empty()?;
    let world = World::new(&server.at, SOURCE, TARGET)?;
    world.rows("image/", count, 1)?;
    let program = world.program(&["copy", "--workers", "join", "--concurrency", concurrency]);
    row.command(program.typed());
    let begun = Instant::now();
    let mut crew = Crew::start(&program, workers)?;
    let (mut first, mut last) = (None, None);
    while crew.works()? {
        let copies = server.copies()?;
        let database = mariadb()?.pid().and_then(cpu_seconds).unwrap_or_default();
        let cpu = [crew.cpu(), server.cpu(), database];
        let moment = Moment { at: begun.elapsed().as_secs_f64(), copies, cpu };
        let share = copies as f64 / count as f64;
        if share >= SHARES.0 && first.is_none() {
            first = Some(moment);
        }
        if share <= SHARES.1 && first.is_some() {
            last = Some(moment);
        }
    }
    crew.ended_well()?;
    row.measure(who, "wall", "s", begun.elapsed().as_secs_f64());
    let (first, last) = (first.context("there were no copies")?, last.context("the copies were too few")?);
    let copied = (last.copies - first.copies) as f64;
    anyhow::ensure!(copied > 0.0, "the copies were too few to be measured");
    row.measure(who, "copies a second", "/s", copied / (last.at - first.at));
    for (name, (after, before)) in ["clients", "server", "MariaDB"].iter().zip(last.cpu.iter().zip(first.cpu)) {
        row.measure(who, &format!("{name}, CPU an object"), "µs", (after - before) * 1e6 / copied);
    }
    row.measure(who, "copies asked for, an object", "", server.copies()? as f64 / count as f64);
    Ok(())
}
