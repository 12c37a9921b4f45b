//! The rows of the bench, in the order of the page.

mod again;
mod check;
mod copy;
mod cutover;
mod finalize;
mod forecast;
mod latency;
mod memory;
mod plan;
mod scale;
mod simulated;
mod slowdown;
mod sparse;
mod takeover;
mod verify;
mod workers;
mod writers;

use anyhow::Result;

use crate::bench::Bench;
use crate::results::Row;

/// This program, where contestants are named.
pub(crate) const OURS: &str = "avatarMigrate";

/// One row: what it is called, what it measures, and how.
pub(crate) struct Plan {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    /// Whether it takes so long that it is measured only where it is named.
    pub(crate) on_demand: bool,
    pub(crate) measure: fn(&Bench, &mut Row) -> Result<()>,
}

/// All of them.
pub(crate) const ALL: &[Plan] = &[
    Plan {
        name: "copy",
        title: "10,000 objects of 4 to 64 KiB copied inside SeaweedFS; ours with plan, check, ledger and cutover",
        on_demand: false,
        measure: copy::measure,
    },
    Plan {
        name: "sparse",
        title: "1,000 objects copied of a bucket of 100,000 in the embedded server",
        on_demand: false,
        measure: sparse::measure,
    },
    Plan {
        name: "again",
        title: "10,000 objects on SeaweedFS that are in place, looked at again",
        on_demand: false,
        measure: again::measure,
    },
    Plan {
        name: "finalize",
        title: "10,000 checked sources deleted on SeaweedFS; ours verifies all of them first",
        on_demand: false,
        measure: finalize::measure,
    },
    Plan {
        name: "latency",
        title: "30,000 small objects copied inside the embedded server, which adds 50 ms to every request",
        on_demand: false,
        measure: latency::measure,
    },
    Plan {
        name: "slowdown",
        title: "15,000 small objects copied inside the embedded server, 50 ms away, which refuses what goes beyond 1,000 requests a second",
        on_demand: false,
        measure: slowdown::measure,
    },
    Plan {
        name: "check",
        title: "200 objects of 8 MiB copied inside the embedded server, the bytes of both twins read and hashed",
        on_demand: false,
        measure: check::measure,
    },
    Plan {
        name: "plan",
        title: "the work list of 1,000,000 rows that name as many objects",
        on_demand: false,
        measure: plan::measure,
    },
    Plan {
        name: "cutover",
        title: "1,000,000 rows moved in one transaction, their objects being in place already",
        on_demand: false,
        measure: cutover::measure,
    },
    Plan {
        name: "verify",
        title: "1,000,000 rows compared with both buckets of the embedded server",
        on_demand: false,
        measure: verify::measure,
    },
    Plan {
        name: "memory",
        title: "every command at 10,000 and at 1,000,000 rows and objects of the embedded server",
        on_demand: false,
        measure: memory::measure,
    },
    Plan {
        name: "writers",
        title: "statements of an application while 200,000 rows are planned and moved",
        on_demand: false,
        measure: writers::measure,
    },
    Plan {
        name: "forecast",
        title: "the dry run's forecast, compared with what the embedded server counted",
        on_demand: false,
        measure: forecast::measure,
    },
    Plan {
        name: "workers",
        title: "30,000 small objects copied by 1, 2 and 4 workers that share the run, every request 50 ms away",
        on_demand: false,
        measure: workers::measure,
    },
    Plan {
        name: "takeover",
        title: "a worker of two killed in the middle of 20,000 objects, 50 ms away, `--lease 5s`",
        on_demand: false,
        measure: takeover::measure,
    },
    Plan {
        name: "simulation",
        title: "64 workers that copy 1,000,000,000 objects, simulated from what was measured",
        on_demand: false,
        measure: simulated::measure,
    },
    Plan {
        name: "million",
        title: "a whole migration of 1,000,000 rows and objects of the embedded server, phase by phase",
        on_demand: true,
        measure: scale::million,
    },
    Plan {
        name: "ten-million",
        title: "a whole migration of 10,000,000 rows and objects of the embedded server, phase by phase",
        on_demand: true,
        measure: scale::ten_million,
    },
];
