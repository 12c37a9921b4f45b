//! What `fence` did, as numbers and SQL.

use std::time::Duration;

use serde::Serialize;

use super::seconds;

/// What `fence` printed, set up or took away.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(tag = "command", rename = "fence")]
pub struct FenceSummary {
    /// The run's number in the ledger; printing has none.
    pub run: Option<u64>,
    /// Whether the database refuses new legacy paths in every reference now.
    pub fenced: bool,
    /// The references.
    pub references: Vec<FencedReference>,
    /// The SQL that sets up what is missing; empty after a change.
    pub statements: Vec<String>,
    /// Columns whose fence this run set up or took away, each `table.column`.
    pub changed: Vec<String>,
    /// What copying the tables would mean, where constraints are missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forecast: Option<FenceForecast>,
    /// How long it took.
    #[serde(rename = "seconds", serialize_with = "seconds")]
    pub elapsed: Duration,
    /// Whether it was to be taken away. Not a part of the JSON.
    #[serde(skip)]
    pub dropped: bool,
}

/// A reference, and what guards it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FencedReference {
    /// `table.column`.
    pub reference: String,
    /// `check`, `triggers`, or nothing.
    pub fenced_by: Option<String>,
    /// Legacy rows that are left: with any of them the fence cannot be set up.
    pub legacy_rows: u64,
}

/// What copying tables would mean: the server's own estimates, and time by a rule of thumb.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FenceForecast {
    /// Rows of the tables.
    pub rows: u64,
    /// Bytes of rows and indexes.
    pub bytes: u64,
    /// How long, at two seconds a million rows.
    #[serde(rename = "seconds", serialize_with = "seconds")]
    pub elapsed: Duration,
}
