//! What `ledger prune` forgot.

use std::time::Duration;

use serde::Serialize;

use super::seconds;
pub use crate::database::Prunable;

/// What `ledger prune` forgot, or in a dry run: would forget.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(tag = "command", rename = "ledger")]
pub struct PruneSummary {
    /// The run's number in the ledger.
    pub run: u64,
    /// Whether nothing was written.
    pub dry_run: bool,
    /// The last run whose traces went; none if no run is old enough.
    pub through: Option<u64>,
    /// When that run began (UTC, RFC 3339).
    pub through_at: Option<String>,
    /// How much it was.
    pub pruned: Prunable,
    /// How long it took.
    #[serde(rename = "seconds", serialize_with = "seconds")]
    pub elapsed: Duration,
}
