//! What each command did, as numbers: `--format json` prints one of these, [`super::human`] tells the same to a person.
//!
//! The names of the fields are API. Fields beyond the normal summary (forecast, reasons) are left out where empty.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize, Serializer};

mod explain;
mod fence;
mod forecast;
mod prune;
mod resolve;
mod shared;
mod status;

pub use crate::failure::Holder;
pub use crate::store::Requests;
pub use explain::{ExplainSummary, ExplainedRow, Recorded, RowMove};
pub use fence::{FenceForecast, FenceSummary, FencedReference};
pub use forecast::{DatabaseForecast, Forecast, RowsForecast, ServerLimits, TransactionForecast, amount};
pub use prune::{Prunable, PruneSummary};
pub use resolve::{ResolveSummary, ResolvedObject};
pub use shared::{Shared, SharedCopy, SharedFinalize};
pub use status::{Activity, LastCutover, RunRecord, State, StatusSummary, WorkerRecord};

/// What `copy` did, or in a dry run: would do.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(tag = "command", rename = "copy")]
pub struct CopySummary {
    /// The run's number in the ledger; a dry run has none.
    pub run: Option<u64>,
    /// The references, each `table.column`.
    pub references: Vec<String>,
    /// What became of the rows.
    pub rows: CopyRows,
    /// What became of the objects.
    pub objects: CopyObjects,
    /// The bytes of the objects that were copied.
    pub bytes_copied: u64,
    /// The S3 requests made.
    pub requests: Requests,
    /// How often the rows were planned.
    pub passes: u64,
    /// How long it took.
    #[serde(rename = "seconds", serialize_with = "seconds")]
    pub elapsed: Duration,
    /// What the real run would take; only in a dry run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forecast: Option<Forecast>,
    /// What the application still wrote; only with `--watch`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub watched: Option<Watched>,
    /// What this worker did of it; only with `--workers join`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shared: Option<Shared>,
}

/// What `copy --watch` saw of the application.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Watched {
    /// How often it looked.
    pub looks: u64,
    /// How long.
    #[serde(rename = "seconds", serialize_with = "seconds")]
    pub elapsed: Duration,
    /// For how long no legacy row came, at its end.
    #[serde(rename = "quiet_seconds", serialize_with = "seconds")]
    pub quiet: Duration,
    /// The columns into which legacy rows came.
    pub written: Vec<StillWritten>,
}

/// A column into which legacy rows came.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct StillWritten {
    /// The column, `table.column`.
    pub reference: String,
    /// How many came.
    pub rows: u64,
    /// How many a minute.
    pub per_minute: f64,
}

impl CopySummary {
    /// Whether rows or objects are left that should have moved, or problems were found: exit code 3.
    #[must_use]
    pub fn work_is_left(&self) -> bool {
        let (rows, objects) = (&self.rows, &self.objects);
        let problems = [
            rows.left,
            rows.suspect,
            rows.conflict,
            objects.missing_source,
            objects.conflict,
            objects.source_changed,
            objects.failed,
        ];
        self.forecast.is_none() && problems.iter().any(|&count| count > 0)
    }
}

/// Rows as `copy` counts them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopyRows {
    /// Legacy rows that were found.
    pub planned: u64,
    /// Rows that are modern now.
    pub updated: u64,
    /// Legacy rows that are left.
    pub left: u64,
    /// Rows with the legacy prefix whose name does not fit the pattern.
    pub out_of_scope: u64,
    /// Rows in a form that no mapping covers.
    pub suspect: u64,
    /// Rows whose new path a unique key forbids.
    pub conflict: u64,
}

/// Objects as `copy` counts them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopyObjects {
    /// Objects that the rows name.
    pub planned: u64,
    /// Objects that this run copied.
    pub copied: u64,
    /// Objects whose checked twin was there before.
    pub already_there: u64,
    /// Objects that the legacy bucket does not hold.
    pub missing_source: u64,
    /// Objects whose place holds other bytes.
    pub conflict: u64,
    /// Objects that were written while their rows moved.
    pub source_changed: u64,
    /// Objects whose copy failed.
    pub failed: u64,
}

/// What `verify` found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(tag = "command", rename = "verify")]
pub struct VerifySummary {
    /// Rows by class.
    pub rows: VerifyRows,
    /// Objects by ending.
    pub objects: VerifyObjects,
    /// Objects of the legacy bucket that no row names.
    pub orphans: u64,
    /// Legacy paths inside longer texts.
    pub mentions: u64,
    /// Columns that hold legacy paths and were left out by explicit references, each `table.column`.
    pub unlisted_references: Vec<String>,
    /// Whether the schema refuses new legacy paths.
    pub fenced: bool,
    /// Whether finalize may delete.
    pub finalizable: bool,
    /// The report.
    #[serde(serialize_with = "path")]
    pub report: Option<PathBuf>,
    /// The page, if one was asked for.
    #[serde(serialize_with = "path", skip_serializing_if = "Option::is_none")]
    pub html: Option<PathBuf>,
    /// The S3 requests made.
    pub requests: Requests,
    /// How long it took.
    #[serde(rename = "seconds", serialize_with = "seconds")]
    pub elapsed: Duration,
    /// What else stands in the way of finalize, where no number above says it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<String>,
}

/// Rows as `verify` counts them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct VerifyRows {
    /// Legacy rows.
    pub legacy: u64,
    /// Modern rows.
    pub modern: u64,
    /// Rows with the legacy prefix whose name does not fit the pattern.
    pub out_of_scope: u64,
    /// Rows in a form that no mapping covers.
    pub suspect: u64,
    /// All other rows.
    pub foreign: u64,
}

/// Objects as `verify` counts them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct VerifyObjects {
    /// Twins with equal content.
    pub verified: u64,
    /// Objects that modern rows name and the production bucket does not hold.
    pub missing_target: u64,
    /// Twins that differ, which nothing explains.
    pub mismatch: u64,
    /// Modern objects that the application replaced.
    pub superseded: u64,
    /// Objects that legacy rows name and the legacy bucket does not hold.
    pub missing_source: u64,
    /// Objects of legacy rows whose place holds other bytes.
    pub conflict: u64,
}

/// What `finalize` did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(tag = "command", rename = "finalize")]
pub struct FinalizeSummary {
    /// Whether it was allowed to delete.
    pub finalizable: bool,
    /// Whether the schema refuses new legacy paths.
    pub fenced: bool,
    /// What became of the objects.
    pub objects: FinalizeObjects,
    /// Whether sources stay that a later run may take: young orphans, problems. Not a part of the JSON.
    #[serde(skip)]
    pub work_is_left: bool,
    /// The final report.
    #[serde(serialize_with = "path")]
    pub report: Option<PathBuf>,
    /// The S3 requests made.
    pub requests: Requests,
    /// How long it took.
    #[serde(rename = "seconds", serialize_with = "seconds")]
    pub elapsed: Duration,
    /// Why it refused, if it did.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<String>,
    /// What this worker did of it; only with `--workers join`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shared: Option<Shared>,
}

/// Objects of the legacy bucket as `finalize` counts them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FinalizeObjects {
    /// Sources that are deleted.
    pub deleted: u64,
    /// Orphans that were copied and checked first.
    pub orphans_copied: u64,
    /// Objects left on purpose.
    pub kept: u64,
    /// Objects that changed before their delete, and therefore stayed.
    pub changed: u64,
    /// Objects whose delete failed.
    pub failed: u64,
}

/// What `rollback` did, or in a dry run: would do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(tag = "command", rename = "rollback")]
pub struct RollbackSummary {
    /// The run's number in the ledger; a dry run has none.
    pub run: Option<u64>,
    /// What became of the rows that the journal knows.
    pub rows: RollbackRows,
    /// What became of objects that the legacy bucket did not hold.
    pub objects: RollbackObjects,
    /// The S3 requests made.
    pub requests: Requests,
    /// How long it took.
    #[serde(rename = "seconds", serialize_with = "seconds")]
    pub elapsed: Duration,
    /// Whether the numbers are only what a real run would do.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
    /// Why a real run would refuse; only in a dry run.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<String>,
    /// Why rows are left. Not a part of the JSON.
    #[serde(skip)]
    pub left: RollbackLeft,
}

impl RollbackSummary {
    /// Whether rows stay that should have gone back, or sources are not there: exit code 3.
    #[must_use]
    pub fn work_is_left(&self) -> bool {
        let objects = &self.objects;
        !self.dry_run && (self.rows.left > 0 || objects.missing > 0 || objects.superseded > 0 || objects.failed > 0)
    }
}

/// Rows as `rollback` counts them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RollbackRows {
    /// Rows that the journal knows and that no rollback has put back.
    pub planned: u64,
    /// Rows that hold their legacy path again.
    pub restored: u64,
    /// Rows that the application has changed or deleted since: not touched.
    pub changed: u64,
    /// Rows that could not go back.
    pub left: u64,
}

/// Objects as `rollback` counts them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RollbackObjects {
    /// Objects that were copied back into the legacy bucket.
    pub restored: u64,
    /// Objects that the application has replaced in production, so that they were not copied back.
    pub superseded: u64,
    /// Objects that the legacy bucket does not hold.
    pub missing: u64,
    /// Objects that could not be copied back.
    pub failed: u64,
}

/// Rows that could not go back, by reason; those whose object is not there follow from the objects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RollbackLeft {
    /// A unique key forbids the old path.
    pub conflict: u64,
    /// Rows of a table without a key that cannot be told apart from others.
    pub ambiguous: u64,
    /// Their table, column or key is not what it was.
    pub unreachable: u64,
    /// Their object is not in the legacy bucket.
    pub without_object: u64,
}

/// What the one-line form did: the summaries of the commands that it reached.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(tag = "command", rename = "migrate")]
pub struct MigrateSummary {
    /// The first step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub copy: Option<CopySummary>,
    /// The second step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verify: Option<VerifySummary>,
    /// The third step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finalize: Option<FinalizeSummary>,
}

/// A safety gate refused: exit code 4.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// The command.
    pub command: String,
    /// Always 4.
    pub exit_code: u8,
    /// The reasons, each one sentence.
    pub refused: Vec<String>,
}

impl Refusal {
    /// The refusal of `command`.
    #[must_use]
    pub fn new(command: impl Into<String>, refused: Vec<String>) -> Self {
        Self { command: command.into(), exit_code: 4, refused }
    }
}

/// Another run holds the lock: exit code 5.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LockHeld {
    /// The command that could not start.
    pub command: String,
    /// The holder, if it left its name.
    pub locked_by: Option<Holder>,
}

fn seconds<S: Serializer>(elapsed: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64((elapsed.as_secs_f64() * 1e3).round() / 1e3)
}

/// A path need not be Unicode, JSON must be.
fn path<S: Serializer>(path: &Option<PathBuf>, serializer: S) -> Result<S::Ok, S::Error> {
    path.as_deref().map(Path::to_string_lossy).serialize(serializer)
}

#[cfg(test)]
mod tests;
