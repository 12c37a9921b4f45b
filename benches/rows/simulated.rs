//! A thousand million objects, copied by 64 workers: what no bench can do, simulated from what the row `workers` measured.

use anyhow::{Context, Result};

use crate::bench::Bench;
use crate::results::{Limit, Results, Row, median};
use crate::simulation::{COPIES_A_PARTITION, Order, Outcome, Scenario, simulate};

/// Where the costs are from.
const FROM: (&str, &str) = ("workers", "2 workers");
/// What a claim or a sign of life takes of the database: a transaction of two statements. Far less than a window of a thousand.
const CLAIM_COST: f64 = 0.002;

pub(crate) fn measure(bench: &Bench, row: &mut Row) -> Result<()> {
    let costs = Costs::read(bench)?;
    let objects = bench.options.scale(1_000_000_000, 10_000_000) as u64;
    let scenario = Scenario {
        workers: 64,
        objects,
        range: 50_000,
        partitions: 64,
        order: Order::Spread,
        lease: 30.0,
        pace: costs.pace,
        window_cost: costs.window,
        claim_cost: CLAIM_COST,
        life: 24.0 * 3600.0,
        restart: 300.0,
        seed: 64,
    };
    let kinds = [
        ("spread, 64 partitions", scenario),
        ("spread, 8 partitions", Scenario { partitions: 8, ..scenario }),
        ("by key, 64 partitions", Scenario { order: Order::ByKey, ..scenario }),
        ("one partition", Scenario { partitions: 1, ..scenario }),
        ("a death every 2 min", Scenario { life: 2.0 * 60.0 * 64.0, ..scenario }),
        ("a database with no cost", Scenario { window_cost: 0.0, claim_cost: 0.0, ..scenario }),
    ];
    for (who, scenario) in kinds {
        bench.step(who);
        let outcome = simulate(scenario);
        note(row, who, scenario, outcome);
    }
    let leases = |who: &str| row.samples(who, "until a dead worker's range is free");
    let free: Vec<f64> = kinds.iter().flat_map(|(who, _)| leases(who)).collect();
    let twice: Vec<f64> = kinds.iter().flat_map(|(who, _)| row.samples(who, "copies twice a death")).collect();
    row.goal("until a dead worker's range is free, at worst", "leases", Limit::AtMost(2.0), vec![worst(&free)]);
    row.goal("copies made twice, a death", "", Limit::AtMost(1000.0), vec![worst(&twice)]);
    row.notes.push(format!(
        "Simulated, and so as good as its assumptions: each worker on a machine of its own, {:.0} copies a second where nothing holds it \
         up; {:.1} ms of the database a window of 1,000 objects, on one core; both from the row `workers`. Each partition of the \
         bucket takes {COPIES_A_PARTITION:.0} copies a second and holds an equal part of the keys. Workers live 24 hours on the average, and are \
         started anew after 5 minutes.",
        costs.pace,
        costs.window * 1000.0
    ));
    Ok(())
}

fn worst(samples: &[f64]) -> f64 {
    samples.iter().copied().fold(0.0, f64::max)
}

/// What was measured.
struct Costs {
    pace: f64,
    window: f64,
}

impl Costs {
    fn read(bench: &Bench) -> Result<Self> {
        let results = Results::read(&bench.results)?;
        let workers = results
            .rows
            .get(FROM.0)
            .context("measure the row workers first: the simulation takes its costs from it")?;
        let of = |who, what| median(&workers.samples(who, what)).with_context(|| format!("no {what} was measured"));
        let clients = of(FROM.1, "clients, CPU an object")? / 1e6;
        // One core of two is left to the system; answers are waited for by others meanwhile.
        Ok(Self { pace: 1.0 / clients, window: of(FROM.1, "MariaDB, CPU an object")? / 1e6 * 1000.0 })
    }
}

fn note(row: &mut Row, who: &str, scenario: Scenario, outcome: Outcome) {
    let Outcome { time, copies, deaths, twice, lapsed, taken, database } = outcome;
    row.measure(who, "time", "h", time / 3600.0);
    row.measure(who, "copies a second", "/s", copies as f64 / time);
    row.measure(who, "database busy", "%", database * 100.0);
    row.measure(who, "deaths", "", deaths as f64);
    row.measure(who, "copies made twice", "", twice as f64);
    row.measure(who, "copies twice a death", "", twice as f64 / deaths.max(1) as f64);
    row.measure(who, "until a dead worker's range is free", "leases", lapsed / scenario.lease);
    row.measure(who, "until it is taken", "s", taken);
}
