//! A server that takes no more than 1,000 requests a second and answers 503 SlowDown to the rest.

use std::time::Duration;

use anyhow::Result;
use avatar_migrate_kit::{Strain, Tick};

use super::{OURS, latency};
use crate::bench::Bench;
use crate::fleet::small_objects;
use crate::peers::Peer;
use crate::results::{Curve, Limit, Row};

pub(crate) fn measure(bench: &Bench, row: &mut Row) -> Result<()> {
    let count = bench.options.scale(15_000, 2_000);
    bench.step(&format!("the embedded server takes {count} objects"));
    let server = small_objects(count)?;
    server.strain(Strain { latency: Duration::from_millis(50), per_second: Some(1000) });
    for round in 0..bench.options.rounds {
        bench.step(&format!("round {}: {OURS}", round + 1));
        let ticks = latency::ours(&server, row, count)?;
        note(row, OURS, &ticks);
        bench.step(&format!("round {}: s5cmd", round + 1));
        let ticks = latency::s5cmd(&server, row)?;
        note(row, Peer::S5cmd.name(), &ticks);
    }
    let shares = row.samples(OURS, "refused in the second half");
    row.goal("copies refused in steady state, server limited to 1,000/s", "%", Limit::AtMost(2.0), shares);
    Ok(())
}

fn note(row: &mut Row, who: &str, ticks: &[Tick]) {
    let share = |ticks: &[Tick]| {
        let refused: u64 = ticks.iter().map(|tick| tick.refused).sum();
        let all: u64 = ticks.iter().map(|tick| tick.refused + tick.admitted).sum();
        100.0 * refused as f64 / all.max(1) as f64
    };
    let (_, late) = ticks.split_at(ticks.len() / 2);
    row.measure(who, "refused in the second half", "%", share(late));
    row.measure(who, "refused", "%", share(ticks));
    let counts: Vec<u64> = ticks.iter().map(|tick| tick.admitted).collect();
    row.measure(
        who,
        "copies a second",
        "/s",
        counts.iter().sum::<u64>() as f64 / (counts.len() as f64 * latency::STEP),
    );
    if !row.curves.iter().any(|curve| curve.who == who) {
        row.curves.push(Curve { who: who.to_owned(), step: latency::STEP, counts });
    }
}
