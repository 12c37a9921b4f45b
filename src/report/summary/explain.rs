//! What is known of one key or path.

use std::time::Duration;

use serde::Serialize;

use super::{Requests, ResolvedObject, seconds};
pub use crate::database::{Recorded, RowMove};

/// Everything that is known of one key or path.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(tag = "command", rename = "explain")]
pub struct ExplainSummary {
    /// What was asked about.
    pub given: String,
    /// What the mappings call it: `legacy`, `modern`, `suspect`, `out_of_scope` or `foreign`.
    pub class: String,
    /// The verdict: the gravest status of a row, or of the object without rows; none if there is nothing to say.
    pub status: Option<String>,
    /// Why, in a sentence.
    pub why: String,
    /// What to do next; empty if nothing is.
    pub next: String,
    /// The key in the legacy bucket; none if it names no object of the migration.
    pub source_key: Option<String>,
    /// The key in the production bucket.
    pub target_key: Option<String>,
    /// The legacy object, if it exists.
    pub source: Option<ResolvedObject>,
    /// The production object, if it exists.
    pub target: Option<ResolvedObject>,
    /// The first rows that name it, or hold this text.
    pub rows: Vec<ExplainedRow>,
    /// How many rows do.
    pub rows_total: u64,
    /// What became of it, as the ledger has it.
    pub recorded: Option<Recorded>,
    /// Rows that were moved, the last ones first; none if the journal is too long to be searched here.
    pub moves: Option<Vec<RowMove>>,
    /// The S3 requests made.
    pub requests: Requests,
    /// How long it took.
    #[serde(rename = "seconds", serialize_with = "seconds")]
    pub elapsed: Duration,
}

/// A row that names the object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ExplainedRow {
    /// Its table.
    pub table: String,
    /// Its column.
    pub column: String,
    /// Its primary key as text.
    pub primary_key: String,
    /// What it holds.
    pub value: String,
    /// Its status in a report; none if it gets no line there.
    pub status: Option<String>,
    /// How equal content was proved.
    pub proof: String,
    /// Why, in a sentence.
    pub detail: String,
}
