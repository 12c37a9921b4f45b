//! `verify` of a million rows and objects, against a hundred thousand: it must not get slower by the row.

use anyhow::Result;

use super::OURS;
use crate::bench::Bench;
use crate::fleet::{small_objects, twins, world};
use crate::results::{Limit, Row};

const COMMAND: [&str; 3] = ["verify", "--report", "out.csv"];

pub(crate) fn measure(bench: &Bench, row: &mut Row) -> Result<()> {
    let large = bench.options.scale(1_000_000, 20_000);
    for count in [large / 10, large] {
        bench.step(&format!("the embedded server takes {count} objects and their twins, MariaDB as many rows"));
        let server = small_objects(count)?;
        twins(&server);
        let world = world(&server)?;
        world.rows("avatar/", count, 1)?;
        row.command(world.program(&COMMAND).typed());
        for round in 0..bench.options.rounds.min(2) {
            bench.step(&format!("round {}: {OURS} verify of {count}", round + 1));
            let migrated = world.run(&COMMAND)?;
            anyhow::ensure!(migrated.number("/objects/verified")? == count as u64, "not all objects are verified");
            let who = format!("{count} rows");
            row.measure(&who, "wall", "s", migrated.ended.usage.wall);
            row.measure(&who, "client CPU", "s", migrated.ended.usage.cpu);
            row.measure(&who, "peak memory", "MB", migrated.ended.usage.memory);
            row.measure(&who, "a row", "µs", migrated.ended.usage.wall * 1e6 / count as f64);
        }
    }
    let ratios = row.ratios("a row", &format!("{large} rows"), &format!("{} rows", large / 10));
    row.goal("verify of 1,000,000 rows, time a row against 100,000", "×", Limit::AtMost(1.2), ratios);
    Ok(())
}
