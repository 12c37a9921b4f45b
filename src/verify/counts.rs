//! What a verify counts.

use std::collections::HashSet;

use crate::config::ColumnName;
use crate::finding::{Finding, Status};

/// Examples that are kept of mentions and of blockers: enough to begin with, the report has them all.
const EXAMPLES: usize = 10;

/// Rows by class, objects by ending.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    /// Legacy rows of references.
    pub legacy: u64,
    /// Modern rows of references.
    pub modern: u64,
    /// Rows with a legacy prefix whose name does not fit the pattern.
    pub out_of_scope: u64,
    /// Rows that seem to mean a legacy object.
    pub suspect: u64,
    /// All other rows of references.
    pub foreign: u64,
    /// Legacy rows of excluded columns.
    pub excluded: u64,
    /// Rows whose longer text holds a legacy path, and where the first ones are.
    pub mentions: (u64, Vec<String>),
    /// Columns with legacy paths that an explicit `--reference` left out.
    pub unlisted_references: Vec<ColumnName>,
    /// Objects with a modern row that resolves.
    pub verified: u64,
    /// Objects that a modern row names and that do not exist.
    pub missing_target: u64,
    /// Objects of modern rows that are no copies of their sources.
    pub mismatch: u64,
    /// Objects that the application replaced since.
    pub superseded: u64,
    /// Objects of legacy rows that do not exist.
    pub missing_source: u64,
    /// Objects of legacy rows whose target holds other bytes.
    pub conflict: u64,
    /// Rows that a unique key keeps from moving.
    pub row_conflict: u64,
    /// Objects of the legacy bucket that no row names.
    pub orphans: u64,
    /// Orphans whose checked copy the application deleted.
    pub deleted_by_application: u64,
    /// Objects of the legacy bucket that are in scope.
    pub sources: u64,
    /// Objects in scope: in the legacy bucket, or named by a row.
    pub objects: u64,
    /// The first findings that block finalize.
    pub blockers: Vec<String>,
    here: HashSet<Status>,
}

impl Counts {
    /// Adds the rows of one column.
    pub(super) fn add(&mut self, column: Self) {
        self.legacy += column.legacy;
        self.modern += column.modern;
        self.out_of_scope += column.out_of_scope;
        self.suspect += column.suspect;
        self.foreign += column.foreign;
        self.excluded += column.excluded;
        self.mentions.0 += column.mentions.0;
        self.mentions.1.extend(column.mentions.1);
        self.mentions.1.truncate(EXAMPLES);
        self.unlisted_references.extend(column.unlisted_references);
        self.blockers.extend(column.blockers);
        self.blockers.truncate(EXAMPLES);
    }

    pub(super) fn mention(&mut self, column: &ColumnName, primary_key: &str) {
        self.mentions.0 += 1;
        if self.mentions.1.len() < EXAMPLES {
            self.mentions.1.push(format!("{}.{} of row {primary_key}", column.table, column.column));
        }
    }

    pub(super) fn unlisted(&mut self, column: &ColumnName) {
        if !self.unlisted_references.contains(column) {
            self.unlisted_references.push(column.clone());
        }
    }

    /// A new place begins: its object counts once for each of its endings, however many rows it has.
    pub(super) fn next_place(&mut self) {
        self.here.clear();
    }

    /// Counts a finding, and keeps it if it is one of the first that block.
    pub(super) fn found(&mut self, finding: &Finding) {
        if finding.status.blocks() && self.blockers.len() < EXAMPLES {
            self.blockers.push(sentence(finding));
        }
        if finding.status == Status::RowConflict {
            self.row_conflict += 1;
        }
        if !self.here.insert(finding.status) {
            return;
        }
        match finding.status {
            Status::Migrated => self.verified += 1,
            Status::MissingTarget => self.missing_target += 1,
            Status::Mismatch | Status::SourceChanged => self.mismatch += 1,
            Status::Superseded => self.superseded += 1,
            Status::MissingSource => self.missing_source += 1,
            Status::Conflict => self.conflict += 1,
            Status::Orphan => self.orphans += 1,
            Status::DeletedByApplication => self.deleted_by_application += 1,
            Status::Legacy | Status::RowConflict | Status::Suspect | Status::OutOfScope | Status::UnlistedReference => {
            }
        }
    }
}

fn sentence(finding: &Finding) -> String {
    let path = finding.legacy_path.as_deref().or(finding.modern_path.as_deref()).unwrap_or_default();
    let place = finding
        .row
        .as_ref()
        .map_or(String::new(), |row| format!(" ({}.{} of row {})", row.table, row.column, row.primary_key));
    format!("{}: `{path}`{place}: {}", finding.status.word(), finding.detail)
}
