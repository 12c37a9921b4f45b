//! Sources go: `finalize`, which verifies everything first, against `s5cmd rm` of as many objects.

use anyhow::Result;

use super::OURS;
use crate::bench::{Bench, Weed};
use crate::endpoint::{drop_bucket, duplicate};
use crate::peers::s5cmd_rm;
use crate::results::{Limit, Row};
use crate::world::World;

const RM: &str = "s5cmd rm";

pub(crate) fn measure(bench: &Bench, row: &mut Row) -> Result<()> {
    let weed = bench.weed()?;
    for round in 0..bench.options.rounds {
        bench.step(&format!("round {}: a bucket to delete from, copied and checked", round + 1));
        let (source, target) = (weed.server.bucket("legacy"), weed.server.bucket("production"));
        bench.runtime.block_on(duplicate(&weed.client, &weed.bucket, &source, weed.count))?;
        let world = World::new(&weed.at, &source, &target)?;
        world.rows("image/", weed.count, 1)?;
        world.run(&["copy"])?;
        bench.step(&format!("round {}: {OURS} finalize, {RM}", round + 1));
        finalize(weed, row, &world)?;
        remove(weed, row, &world)?;
        bench.runtime.block_on(drop_bucket(&weed.client, &source))?;
        bench.runtime.block_on(drop_bucket(&weed.client, &target))?;
    }
    let requests = row.samples(OURS, "requests an object");
    row.goal("requests an object, finalize", "", Limit::AtMost(0.015), requests);
    let removals = row.samples(RM, "wall");
    let against = |seconds: Vec<f64>| seconds.iter().zip(&removals).map(|(own, other)| own / other).collect();
    let deletes = against(row.samples(OURS, "phase delete"));
    row.goal("delete phase of finalize, against `s5cmd rm`", "×", Limit::AtMost(1.2), deletes);
    let whole = against(row.samples(OURS, "wall"));
    row.goal("finalize as a whole, against `s5cmd rm`", "×", Limit::AtMost(2.0), whole);
    Ok(())
}

fn finalize(weed: &Weed, row: &mut Row, world: &World) -> Result<()> {
    let command = ["finalize", "--yes"];
    let (migrated, requests) = weed.counted(|| world.run(&command))?;
    anyhow::ensure!(migrated.number("/objects/deleted")? == weed.count as u64, "not all sources went");
    for (phase, seconds) in &migrated.phases {
        row.measure(OURS, &format!("phase {phase}"), "s", *seconds);
    }
    row.measure(OURS, "wall", "s", migrated.ended.usage.wall);
    row.measure(OURS, "client CPU", "s", migrated.ended.usage.cpu);
    row.measure(OURS, "requests an object", "", requests as f64 / weed.count as f64);
    row.command(world.program(&command).typed());
    Ok(())
}

/// s5cmd removes the twins, which are as many and as large.
fn remove(weed: &Weed, row: &mut Row, world: &World) -> Result<()> {
    let program = s5cmd_rm(&weed.at, &world.target, "avatar/", world.directory.path())?;
    let (ended, requests) = weed.counted(|| program.run())?;
    row.measure(RM, "wall", "s", ended.usage.wall);
    row.measure(RM, "client CPU", "s", ended.usage.cpu);
    row.measure(RM, "requests an object", "", requests as f64 / weed.count as f64);
    row.command(s5cmd_rm(&weed.at, "legacy-s3", "image/", world.directory.path())?.typed());
    Ok(())
}
