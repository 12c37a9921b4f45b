//! Nothing left to do: a second `copy` and a `verify`, against `s5cmd sync`, which compares sizes and dates.

use anyhow::Result;

use super::OURS;
use crate::bench::Bench;
use crate::endpoint::drop_bucket;
use crate::peers::s5cmd_sync;
use crate::results::{Limit, Row};
use crate::world::World;

const COPY: &str = "avatarMigrate copy";
const VERIFY: &str = "avatarMigrate verify";
const SYNC: &str = "s5cmd sync";

pub(crate) fn measure(bench: &Bench, row: &mut Row) -> Result<()> {
    let weed = bench.weed()?;
    let target = weed.server.bucket("production");
    let world = World::new(&weed.at, &weed.bucket, &target)?;
    world.rows("image/", weed.count, 1)?;
    bench.step(&format!("{OURS} copies everything"));
    world.run(&["copy"])?;
    let verify = ["verify", "--report", "out.csv"];
    let sync = s5cmd_sync(&weed.at, &weed.bucket, &target, world.directory.path())?;
    for round in 0..bench.options.rounds {
        bench.step(&format!("round {}: second copy, s5cmd sync, verify", round + 1));
        let runs = [(COPY, world.program(&["copy"])), (SYNC, sync.clone()), (VERIFY, world.program(&verify))];
        for (who, program) in runs {
            let (ended, requests) = weed.counted(|| program.run())?;
            row.measure(who, "wall", "s", ended.usage.wall);
            row.measure(who, "client CPU", "s", ended.usage.cpu);
            row.measure(who, "peak memory", "MB", ended.usage.memory);
            row.measure(who, "requests an object", "", requests as f64 / weed.count as f64);
        }
    }
    row.command(world.program(&["copy"]).typed());
    row.command(s5cmd_sync(&weed.at, "legacy-s3", "production-s3", world.directory.path())?.typed());
    row.command(world.program(&verify).typed());
    for (who, what) in [(COPY, "second copy"), (VERIFY, "verify")] {
        let requests = row.samples(who, "requests an object");
        row.goal(&format!("requests an object, {what}"), "", Limit::AtMost(0.011), requests);
        let ratios = row.ratios("wall", who, SYNC);
        row.goal(&format!("{what} of 10,000, against `s5cmd sync`: wall"), "×", Limit::AtMost(1.0), ratios);
    }
    bench.runtime.block_on(drop_bucket(&weed.client, &target))
}
