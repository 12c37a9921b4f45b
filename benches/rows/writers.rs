//! What the application feels: how long its own statements take while rows are planned and moved.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use avatar_migrate_kit::effort::Lot;
use sqlx::{Connection, MySqlConnection};

use crate::bench::Bench;
use crate::fleet::{small_objects, twins, world};
use crate::results::{Limit, Row};
use crate::world::{World, mariadb};

/// Sessions of the application.
const SESSIONS: u64 = 4;
/// What each waits between two statements.
const PAUSE: Duration = Duration::from_millis(5);
/// How long they are watched without a migration.
const ALONE: Duration = Duration::from_secs(10);
/// Rows of a transaction, and how long a statement may wait then, in milliseconds.
const SIZES: [(&str, f64); 2] = [("1000", 250.0), ("10000", 1500.0)];

pub(crate) fn measure(bench: &Bench, row: &mut Row) -> Result<()> {
    let count = bench.options.scale(200_000, 20_000);
    bench.step(&format!("the embedded server takes {count} objects and their twins"));
    let server = small_objects(count)?;
    twins(&server);
    let world_of = || -> Result<World> {
        let world = world(&server)?;
        world.rows("image/", count, 1)?;
        Ok(world)
    };
    bench.step("the application alone");
    let alone = watch(bench, &world_of()?, count, || {
        std::thread::sleep(if bench.options.quick { ALONE / 10 } else { ALONE });
        Ok(())
    })?;
    note(row, "alone", &alone);
    for (size, most) in SIZES {
        let world = world_of()?;
        bench.step(&format!("the application beside copy --transaction-rows {size}"));
        let command = ["copy", "--transaction-rows", size];
        let latencies = watch(bench, &world, count, || world.run(&command).map(|_| ()))?;
        let who = format!("--transaction-rows {size}");
        note(row, &who, &latencies);
        row.command(world.program(&command).typed());
        let longest = row.samples(&who, "longest");
        row.goal(&format!("longest statement of the application, `{who}`"), "ms", Limit::AtMost(most), longest);
    }
    row.notes.push(format!(
        "{SESSIONS} sessions update and read random rows of {count} and insert new ones, each commit flushed to disk."
    ));
    Ok(())
}

/// Runs `work` while the application goes on; gives its latencies in milliseconds, ascending.
fn watch(bench: &Bench, world: &World, rows: usize, work: impl FnOnce() -> Result<()>) -> Result<Vec<f64>> {
    let stop = Arc::new(AtomicBool::new(false));
    let sessions: Vec<_> = (0..SESSIONS)
        .map(|number| {
            let (stop, name) = (Arc::clone(&stop), world.database.name().to_owned());
            bench.runtime.spawn(async move { session(&name, Lot::from_seed(number), rows, &stop).await })
        })
        .collect();
    let worked = work();
    stop.store(true, Ordering::Relaxed);
    let mut latencies = Vec::new();
    for session in sessions {
        latencies.extend(bench.runtime.block_on(session).context("a session panicked")??);
    }
    worked?;
    latencies.sort_by(f64::total_cmp);
    Ok(latencies)
}

async fn session(database: &str, mut lot: Lot, rows: usize, stop: &AtomicBool) -> Result<Vec<f64>> {
    let mut connection = mariadb()?.connect(database).await?;
    let mut latencies = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let begun = Instant::now();
        statement(&mut connection, &mut lot, rows as u64).await?;
        latencies.push(begun.elapsed().as_secs_f64() * 1000.0);
        tokio::time::sleep(PAUSE).await;
    }
    connection.close().await.context("a connection cannot be closed")?;
    Ok(latencies)
}

async fn statement(connection: &mut MySqlConnection, lot: &mut Lot, rows: u64) -> Result<()> {
    let id = lot.below(rows) + 1;
    let query = match lot.below(4) {
        0 => sqlx::query("INSERT INTO avatars (path) VALUES (CONCAT('foreign/', ?))").bind(id),
        1 => sqlx::query("SELECT path FROM avatars WHERE id = ?").bind(id),
        _ => sqlx::query("UPDATE avatars SET updated_at = CURRENT_TIMESTAMP WHERE id = ?").bind(id),
    };
    query.execute(connection).await.context("a statement of the application failed").map(|_| ())
}

fn note(row: &mut Row, who: &str, latencies: &[f64]) {
    let at = |share: f64| {
        let place = (latencies.len().saturating_sub(1) as f64 * share).round();
        format!("{place:.0}").parse().ok().and_then(|place: usize| latencies.get(place)).copied().unwrap_or_default()
    };
    row.measure(who, "statements", "", latencies.len() as f64);
    for (what, share) in [("median", 0.5), ("99 %", 0.99), ("99.9 %", 0.999), ("longest", 1.0)] {
        row.measure(who, what, "ms", at(share));
    }
}
