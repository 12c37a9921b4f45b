//! `doctor`: everything that can go wrong, before it does. Facts come in, judged lines go out; nothing is asked here.
//!
//! Each check is a result of its own, so that what is wrong in one place never hides another one.

mod buckets;
mod columns;
mod database;
mod owners;
mod table;

use std::time::Duration;

use serde::{Serialize, Serializer};

pub use buckets::{
    Conditional, checksum, clock, conditional_delete, copy_conditions, lifecycle, listing, not_tried, object_lock,
    reached, readable, same_bucket, versioning, writable,
};
pub use columns::{generated_columns, sql_mode};
pub use database::{
    aws_cli, connected, encryption, forecast, grants, ledger, mentions, reference, references, replica, run_lock,
    schema, server, temporary_files, triggers,
};
pub use owners::{
    Owner, account, encryption as bucket_encryption, identity, ownership, policy_changed, region, regions,
};
pub use table::doctor_text;

use crate::report::summary::Requests;
use crate::report::text::printable;

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// As it should be.
    Pass,
    /// The migration works, with something to know before; also what could not be found out.
    Warn,
    /// A command will fail or refuse.
    Fail,
}

/// What a check is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// The legacy bucket.
    Source,
    /// The production bucket.
    Target,
    /// The database.
    Database,
    /// This machine.
    Machine,
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// A short name, stable for programs.
    pub name: &'static str,
    /// What it is about.
    pub side: Side,
    /// How it ended.
    pub status: Status,
    /// What was found.
    pub found: String,
    /// What to do next; nothing where all is well.
    pub advice: Option<String>,
}

impl Check {
    fn pass(name: &'static str, side: Side, found: impl Into<String>) -> Self {
        Self::new(name, side, Status::Pass, found.into(), None)
    }

    fn warn(name: &'static str, side: Side, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self::new(name, side, Status::Warn, found.into(), Some(advice.into()))
    }

    fn fail(name: &'static str, side: Side, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self::new(name, side, Status::Fail, found.into(), Some(advice.into()))
    }

    fn new(name: &'static str, side: Side, status: Status, found: String, advice: Option<String>) -> Self {
        let clean = |text: String| printable(&text);
        Self { name, side, status, found: clean(found), advice: advice.map(clean).filter(|text| !text.is_empty()) }
    }
}

/// What was changed in the legacy bucket's policy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PolicyChanged {
    /// The bucket.
    pub bucket: String,
    /// The Sids of this program's statements that it holds now.
    pub attached: Vec<String>,
    /// Those that it held before and holds no more.
    pub detached: Vec<String>,
    /// How many other statements it holds, untouched.
    pub kept: usize,
}

/// All lines.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(tag = "command", rename = "doctor")]
pub struct DoctorSummary {
    /// The checks, side by side.
    pub checks: Vec<Check>,
    /// Only after a change of the legacy bucket's policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<PolicyChanged>,
    /// The S3 requests made.
    pub requests: Requests,
    /// How long it took.
    #[serde(rename = "seconds", serialize_with = "seconds")]
    pub elapsed: Duration,
}

impl DoctorSummary {
    /// How many checks ended so.
    #[must_use]
    pub fn count(&self, status: Status) -> usize {
        self.checks.iter().filter(|check| check.status == status).count()
    }
}

fn seconds<S: Serializer>(elapsed: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64((elapsed.as_secs_f64() * 1e3).round() / 1e3)
}
