//! A hundredth of a large bucket is wanted: listing all of it would cost more than asking for each object.

use anyhow::Result;

use super::OURS;
use crate::bench::Bench;
use crate::fleet::{empty_target, small_objects, world};
use crate::results::{Limit, Row};

/// Of so many objects one is named by a row.
const STEP: usize = 100;

pub(crate) fn measure(bench: &Bench, row: &mut Row) -> Result<()> {
    let wanted = bench.options.scale(1_000, 100);
    bench.step(&format!("the embedded server takes {} objects", wanted * STEP));
    let server = small_objects(wanted * STEP)?;
    // Counts are the same each time: one round tells them.
    empty_target(&server);
    let world = world(&server)?;
    world.rows("image/", wanted, STEP)?;
    server.reset_requests();
    bench.step(OURS);
    let migrated = world.run(&["copy"])?;
    anyhow::ensure!(migrated.number("/rows/updated")? == wanted as u64, "not all rows moved");
    for (operation, count) in server.requests() {
        row.measure(OURS, &format!("{operation} an object"), "", count as f64 / wanted as f64);
    }
    row.command(world.program(&["copy"]).typed());
    let requests = server.requests().values().sum::<u64>() as f64 / wanted as f64;
    row.goal("requests an object in a first copy, sparse", "", Limit::AtMost(4.01), vec![requests]);
    Ok(())
}
