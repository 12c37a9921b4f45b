//! What `copy --dry-run` says that a copy will ask for, against what the server counted.

use anyhow::{Context, Result};
use serde_json::Value;

use super::OURS;
use crate::bench::Bench;
use crate::fleet::{empty_target, small_objects, world};
use crate::results::{Limit, Row};

pub(crate) fn measure(bench: &Bench, row: &mut Row) -> Result<()> {
    let count = bench.options.scale(10_000, 1_000);
    bench.step(&format!("the embedded server takes {count} objects"));
    let server = small_objects(count)?;
    for (name, step) in [("dense", 1), ("sparse", 100)] {
        empty_target(&server);
        let world = world(&server)?;
        world.rows("image/", count / step, step)?;
        bench.step(&format!("{name}: forecast, then {OURS}"));
        let dry = world.run(&["copy", "--dry-run"])?;
        server.reset_requests();
        let real = world.run(&["copy"])?;
        let (said, counted) = (requests(&dry.json)?, server.requests().values().sum::<u64>() as f64);
        row.measure(name, "requests, forecast", "", said);
        row.measure(name, "requests, counted", "", counted);
        row.measure(name, "bytes, forecast", "", dry.number("/forecast/bytes")? as f64);
        row.measure(name, "bytes, copied", "", real.number("/bytes_copied")? as f64);
        let what = format!("requests of a {name} copy: forecast off by");
        row.goal(&what, "%", Limit::AtMost(2.0), vec![100.0 * (said / counted - 1.0).abs()]);
    }
    Ok(())
}

/// The sum, whether it is told as one or by type.
fn requests(summary: &Value) -> Result<f64> {
    let requests = summary.pointer("/forecast/requests").context("there is no forecast")?;
    let sum = || requests.as_object().map(|kinds| kinds.values().filter_map(Value::as_f64).sum());
    requests.as_f64().or_else(sum).context("the forecast has no requests")
}
