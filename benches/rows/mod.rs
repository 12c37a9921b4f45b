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
mod slowdown;
mod sparse;
mod verify;
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
    pub(crate) measure: fn(&Bench, &mut Row) -> Result<()>,
}

/// All of them.
pub(crate) const ALL: &[Plan] = &[
    Plan {
        name: "copy",
        title: "10,000 objects of 4 to 64 KiB copied inside SeaweedFS; ours with plan, check, ledger and cutover",
        measure: copy::measure,
    },
    Plan {
        name: "sparse",
        title: "1,000 objects copied of a bucket of 100,000 in the embedded server",
        measure: sparse::measure,
    },
    Plan {
        name: "again",
        title: "10,000 objects on SeaweedFS that are in place, looked at again",
        measure: again::measure,
    },
    Plan {
        name: "finalize",
        title: "10,000 checked sources deleted on SeaweedFS; ours verifies all of them first",
        measure: finalize::measure,
    },
    Plan {
        name: "latency",
        title: "30,000 small objects copied inside the embedded server, which adds 50 ms to every request",
        measure: latency::measure,
    },
    Plan {
        name: "slowdown",
        title: "15,000 small objects copied inside the embedded server, 50 ms away, which refuses what goes beyond 1,000 requests a second",
        measure: slowdown::measure,
    },
    Plan {
        name: "check",
        title: "200 objects of 8 MiB copied inside the embedded server, the bytes of both twins read and hashed",
        measure: check::measure,
    },
    Plan { name: "plan", title: "the work list of 1,000,000 rows that name as many objects", measure: plan::measure },
    Plan {
        name: "cutover",
        title: "1,000,000 rows moved in one transaction, their objects being in place already",
        measure: cutover::measure,
    },
    Plan {
        name: "verify",
        title: "1,000,000 rows compared with both buckets of the embedded server",
        measure: verify::measure,
    },
    Plan {
        name: "memory",
        title: "every command at 10,000 and at 1,000,000 rows and objects of the embedded server",
        measure: memory::measure,
    },
    Plan {
        name: "writers",
        title: "statements of an application while 200,000 rows are planned and moved",
        measure: writers::measure,
    },
    Plan {
        name: "forecast",
        title: "the dry run's forecast, compared with what the embedded server counted",
        measure: forecast::measure,
    },
];
