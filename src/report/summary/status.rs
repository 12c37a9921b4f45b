//! Where a migration stands.

use std::collections::BTreeMap;

use serde::Serialize;

use super::LockHolder;

/// Where a migration stands, as the ledger tells it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(tag = "command", rename = "status")]
pub struct StatusSummary {
    /// In a word.
    pub state: State,
    /// The last writing run of this migration.
    pub run: Option<RunStatus>,
    /// Who holds the run lock of the schema, if it is not that run.
    pub holder: Option<LockHolder>,
    /// Objects by what the last run that dealt with each knows of it; nothing if they are too many to be counted quickly.
    pub objects: Option<BTreeMap<String, u64>>,
    /// Rows that have moved and were not rolled back; nothing if they are too many to be counted quickly.
    pub rows_moved: Option<u64>,
    /// When rows were moved last.
    pub last_cutover: Option<LastCutoverStatus>,
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

/// A writing run.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct RunStatus {
    /// Its number.
    pub id: u64,
    /// Its command.
    pub name: String,
    /// Where it runs or ran.
    pub host: String,
    /// Its process.
    pub pid: u32,
    /// When it began (UTC, RFC 3339).
    pub started_at: String,
    /// How many seconds ago its heart beat last.
    pub silent_seconds: i64,
    /// When it signed off (UTC, RFC 3339).
    pub finished_at: Option<String>,
    /// With which exit code.
    pub exit_code: Option<u8>,
    /// What it is at, while it runs.
    pub phase: Option<PhaseStatus>,
}

/// How far a phase was at the last beat of the heart.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct PhaseStatus {
    /// Its name.
    pub name: String,
    /// How many are done.
    pub done: u64,
    /// Of how many, if that is known.
    pub total: Option<u64>,
    /// What is counted.
    pub unit: String,
    /// Since it began.
    pub seconds: f64,
}

/// When rows were moved last.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LastCutoverStatus {
    /// The run that moved them.
    pub run: u64,
    /// When (UTC, RFC 3339).
    pub at: String,
}

impl StatusSummary {
    /// Whether a run holds the lock of the schema.
    #[must_use]
    pub fn is_at_work(&self) -> bool {
        matches!(self.state, State::Running | State::Silent | State::Locked)
    }
}

impl PhaseStatus {
    /// How many are done a second, over all; `None` before there is anything to tell from.
    #[must_use]
    pub fn per_second(&self) -> Option<f64> {
        (self.done > 0 && self.seconds >= 1.0).then(|| self.done as f64 / self.seconds)
    }

    /// How long the rest takes at that pace, in seconds.
    #[must_use]
    pub fn seconds_left(&self) -> Option<f64> {
        let left = self.total?.saturating_sub(self.done);
        Some(left as f64 / self.per_second()?)
    }
}
