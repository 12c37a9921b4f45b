//! A first copy of everything: this program with plan, check, ledger and cutover, the others with the copy alone.

use anyhow::Result;

use super::OURS;
use crate::bench::{Bench, Weed};
use crate::child::Usage;
use crate::endpoint::{drop_bucket, lost};
use crate::peers::Peer;
use crate::results::{Limit, Row};
use crate::world::World;

/// Rounds of the AWS CLI, which takes four times as long as all others together.
const ROUNDS_OF_AWS: usize = 1;

pub(crate) fn measure(bench: &Bench, row: &mut Row) -> Result<()> {
    let weed = bench.weed()?;
    for round in 0..bench.options.rounds {
        bench.step(&format!("round {}: {OURS}", round + 1));
        ours(bench, weed, row)?;
        for peer in Peer::ALL.into_iter().filter(|peer| *peer != Peer::Aws || round < ROUNDS_OF_AWS) {
            bench.step(&format!("round {}: {}", round + 1, peer.name()));
            theirs(bench, weed, row, peer)?;
        }
    }
    let s5cmd = Peer::S5cmd.name();
    row.goal("copy, against `s5cmd cp` alone: wall", "×", Limit::AtMost(1.0), row.ratios("wall", OURS, s5cmd));
    row.goal(
        "copy, against `s5cmd cp` alone: client CPU",
        "×",
        Limit::AtMost(1.0),
        row.ratios("client CPU", OURS, s5cmd),
    );
    let requests = row.samples(OURS, "requests an object");
    row.goal("requests an object in a first copy, dense", "", Limit::AtMost(1.01), requests);
    Ok(())
}

fn ours(bench: &Bench, weed: &Weed, row: &mut Row) -> Result<()> {
    let target = weed.server.bucket("production");
    let world = World::new(&weed.at, &weed.bucket, &target)?;
    world.rows("image/", weed.count, 1)?;
    let (migrated, requests) = weed.counted(|| world.run(&["copy"]))?;
    anyhow::ensure!(migrated.number("/rows/updated")? == weed.count as u64, "not all rows moved");
    for (phase, seconds) in &migrated.phases {
        row.measure(OURS, &format!("phase {phase}"), "s", *seconds);
    }
    note(row, OURS, migrated.ended.usage, requests as f64 / weed.count as f64);
    row.command(world.program(&["copy"]).typed());
    row.kept.insert(OURS.to_owned(), bench.runtime.block_on(lost(&weed.client, &target, weed.count))?);
    bench.runtime.block_on(drop_bucket(&weed.client, &target))
}

fn theirs(bench: &Bench, weed: &Weed, row: &mut Row, peer: Peer) -> Result<()> {
    let target = weed.server.bucket("production");
    let directory = tempfile::tempdir()?;
    let program = peer.copy(&weed.at, &weed.bucket, &target, directory.path())?;
    let (ended, requests) = weed.counted(|| program.run())?;
    note(row, peer.name(), ended.usage, requests as f64 / weed.count as f64);
    row.command(peer.copy(&weed.at, "legacy-s3", "production-s3", directory.path())?.typed());
    row.kept.insert(peer.name().to_owned(), bench.runtime.block_on(lost(&weed.client, &target, weed.count))?);
    bench.runtime.block_on(drop_bucket(&weed.client, &target))
}

fn note(row: &mut Row, who: &str, usage: Usage, requests: f64) {
    row.measure(who, "wall", "s", usage.wall);
    row.measure(who, "client CPU", "s", usage.cpu);
    row.measure(who, "peak memory", "MB", usage.memory);
    row.measure(who, "requests an object", "", requests);
}
