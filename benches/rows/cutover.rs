//! The cutover of a million rows with its journal, against the UPDATE that one would write by hand.

use std::time::Instant;

use anyhow::Result;

use super::OURS;
use crate::bench::Bench;
use crate::fleet::{small_objects, twins, world};
use crate::results::{Limit, Row};
use crate::world::World;

/// What one would write by hand.
const BARE: &str = "UPDATE … WHERE path LIKE";

pub(crate) fn measure(bench: &Bench, row: &mut Row) -> Result<()> {
    let count = bench.options.scale(1_000_000, 20_000);
    bench.step(&format!("the embedded server takes {count} objects and their twins"));
    let server = small_objects(count)?;
    // The objects are in place already, so that only looks at them lie before the cutover.
    twins(&server);
    for round in 0..bench.options.rounds.min(2) {
        let world = world(&server)?;
        bench.step(&format!("round {}: MariaDB takes {count} rows", round + 1));
        world.rows("image/", count, 1)?;
        bench.step(&format!("round {}: {BARE}", round + 1));
        row.measure(BARE, "cutover", "s", bare(&world)?);
        world.database.execute("TRUNCATE TABLE avatars")?;
        world.rows("image/", count, 1)?;
        bench.step(&format!("round {}: {OURS}", round + 1));
        let migrated = world.run(&["copy"])?;
        anyhow::ensure!(migrated.number("/rows/updated")? == count as u64, "not all rows moved");
        row.measure(OURS, "cutover", "s", migrated.phase("cutover")?);
        for (phase, seconds) in migrated.phases.iter().filter(|(phase, _)| *phase != "cutover") {
            row.measure(OURS, &format!("phase {phase}"), "s", *seconds);
        }
        row.measure(OURS, "wall", "s", migrated.ended.usage.wall);
        row.measure(OURS, "client CPU", "s", migrated.ended.usage.cpu);
        row.measure(OURS, "peak memory", "MB", migrated.ended.usage.memory);
        row.command(world.program(&["copy"]).typed());
    }
    let ratios = row.ratios("cutover", OURS, BARE);
    row.goal("cutover of 1,000,000 rows with journal, against a bare `UPDATE`", "×", Limit::AtMost(2.0), ratios);
    Ok(())
}

fn bare(world: &World) -> Result<f64> {
    let begun = Instant::now();
    world.database.execute(
        "UPDATE avatars SET path = CONCAT('avatar/', SUBSTR(path, 7)), updated_at = updated_at WHERE path LIKE 'image/%'",
    )?;
    Ok(begun.elapsed().as_secs_f64())
}
