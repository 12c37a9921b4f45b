//! Where a migration stands.

use std::collections::BTreeMap;

use serde::Serialize;

pub use crate::database::{Activity, LastCutover, RunRecord, WorkerRecord};
use crate::failure::Holder;

/// Where a migration stands, as the ledger tells it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(tag = "command", rename = "status")]
pub struct StatusSummary {
    /// In a word.
    pub state: State,
    /// The last writing run of this migration.
    pub run: Option<RunRecord>,
    /// The workers of that run, if it was shared.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub workers: Vec<WorkerRecord>,
    /// Who holds the run lock of the schema, if it is not that run.
    pub holder: Option<Holder>,
    /// Objects by what the last run that dealt with each knows of it; nothing if they are too many to be counted quickly.
    pub objects: Option<BTreeMap<String, u64>>,
    /// Rows that have moved and were not rolled back; nothing if they are too many to be counted quickly.
    pub rows_moved: Option<u64>,
    /// When rows were moved last.
    pub last_cutover: Option<LastCutover>,
    /// For how long the grace clock of finalize has run.
    pub clean_for_seconds: Option<i64>,
}

/// What goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Nothing has run yet.
    #[default]
    New,
    /// A run is at work.
    Running,
    /// A run holds the lock, and its heart has not beaten for a while.
    Silent,
    /// The last run has signed off.
    Ended,
    /// The last run is gone and has not signed off.
    CutOff,
    /// A run of other settings, on the same schema, is at work.
    Locked,
}

impl StatusSummary {
    /// Whether a run holds the lock of the schema.
    #[must_use]
    pub fn is_at_work(&self) -> bool {
        matches!(self.state, State::Running | State::Silent | State::Locked)
    }
}
