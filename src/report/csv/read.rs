//! Reading a report back, for `--approved`.

use std::fs::File;
use std::path::{Path, PathBuf};

use super::COLUMNS;
use super::defuse::restore;
use crate::finding::{Finding, Proof, RowPlace, Status};
use crate::path::{ETag, ObjectKey};

/// A line of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportLine {
    /// Where it begins, counted as an editor does; the header is line 1.
    pub line: u64,
    /// What was written there. An empty cell is an absent value.
    pub finding: Finding,
}

/// The lines of a report, in order, in flat memory.
pub struct ReportReader {
    records: ::csv::StringRecordsIntoIter<File>,
    path: PathBuf,
    next_line: u64,
}

/// Why a report cannot be read. Each message names the report.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file cannot be opened or read.
    #[error("cannot read the report {path}: {source}")]
    Unreadable {
        /// The report.
        path: PathBuf,
        /// What the system or the CSV parser said.
        source: ::csv::Error,
    },
    /// The header is another one.
    #[error("{path} is no report of this program: its first line must be {}", COLUMNS.join(","))]
    NotAReport {
        /// The file.
        path: PathBuf,
    },
    /// A line that no report has.
    #[error("the report {path} is damaged in line {line}: {problem}")]
    Damaged {
        /// The report.
        path: PathBuf,
        /// The line.
        line: u64,
        /// What is wrong there.
        problem: String,
    },
}

impl ReportReader {
    /// Opens the report `path` and checks its header.
    ///
    /// # Errors
    /// [`ReadError`] if it cannot be read or is no report.
    pub fn open(path: &Path) -> Result<Self, ReadError> {
        let unreadable = |source| ReadError::Unreadable { path: path.to_owned(), source };
        let mut reader = ::csv::Reader::from_path(path).map_err(unreadable)?;
        if reader.headers().is_ok_and(|header| header == COLUMNS.as_slice()) {
            Ok(Self { records: reader.into_records(), path: path.to_owned(), next_line: 2 })
        } else {
            Err(ReadError::NotAReport { path: path.to_owned() })
        }
    }

    fn damaged(&self, line: u64, problem: String) -> ReadError {
        ReadError::Damaged { path: self.path.clone(), line, problem }
    }

    fn failed(&self, line: u64, source: ::csv::Error) -> ReadError {
        if let ::csv::ErrorKind::UnequalLengths { len, .. } = source.kind() {
            self.damaged(line, format!("{len} cells instead of {}", COLUMNS.len()))
        } else if let ::csv::ErrorKind::Utf8 { .. } = source.kind() {
            self.damaged(line, "it is not valid UTF-8".to_owned())
        } else {
            ReadError::Unreadable { path: self.path.clone(), source }
        }
    }
}

impl Iterator for ReportReader {
    type Item = Result<ReportLine, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        let record = self.records.next()?;
        let line = self.next_line;
        // Counted here: the parser takes the LF of a CRLF for a part of the line that follows.
        self.next_line += 1 + record.as_ref().map_or(0, breaks_inside);
        let read = record
            .map_err(|error| self.failed(line, error))
            .and_then(|record| finding(&record).map_err(|problem| self.damaged(line, problem)));
        Some(read.map(|finding| ReportLine { line, finding }))
    }
}

fn breaks_inside(record: &::csv::StringRecord) -> u64 {
    record.as_slice().bytes().map(|byte| u64::from(byte == b'\n')).sum()
}

fn finding(record: &::csv::StringRecord) -> Result<Finding, String> {
    let mut cells = record.iter().map(restore);
    let mut next = || cells.next().unwrap_or_default();
    Ok(Finding {
        status: status(next())?,
        row: row(next(), next(), next()),
        legacy_path: text(next()),
        modern_path: text(next()),
        source_key: key(next())?,
        target_key: key(next())?,
        size: size(next())?,
        source_etag: text(next()).map(|etag| ETag::new(&etag)),
        target_etag: text(next()).map(|etag| ETag::new(&etag)),
        sha256: text(next()),
        proof: proof(next())?,
        detail: next().to_owned(),
    })
}

fn text(cell: &str) -> Option<String> {
    (!cell.is_empty()).then(|| cell.to_owned())
}

fn row(table: &str, column: &str, primary_key: &str) -> Option<RowPlace> {
    // Every table has a name, a line without one is an orphan's.
    text(table).map(|table| RowPlace { table, column: column.to_owned(), primary_key: primary_key.to_owned() })
}

fn key(cell: &str) -> Result<Option<ObjectKey>, String> {
    text(cell).map(ObjectKey::new).transpose().map_err(|error| error.to_string())
}

fn size(cell: &str) -> Result<Option<u64>, String> {
    text(cell).map(|size| size.parse()).transpose().map_err(|_| format!("`{}` is no size", cell.escape_debug()))
}

fn status(cell: &str) -> Result<Status, String> {
    let found = STATUSES.into_iter().find(|status| status.word() == cell);
    found.ok_or_else(|| format!("`{}` is no status", cell.escape_debug()))
}

fn proof(cell: &str) -> Result<Option<Proof>, String> {
    let found = PROOFS.into_iter().find(|proof| proof.map_or("none", Proof::word) == cell);
    found.ok_or_else(|| format!("`{}` is no proof", cell.escape_debug()))
}

pub(in crate::report) const STATUSES: [Status; 14] = [
    Status::Migrated,
    Status::Legacy,
    Status::MissingSource,
    Status::MissingTarget,
    Status::Mismatch,
    Status::Conflict,
    Status::RowConflict,
    Status::SourceChanged,
    Status::Superseded,
    Status::Suspect,
    Status::OutOfScope,
    Status::Orphan,
    Status::UnlistedReference,
    Status::DeletedByApplication,
];

pub(super) const PROOFS: [Option<Proof>; 5] =
    [Some(Proof::ETag), Some(Proof::Checksum), Some(Proof::Sha256), Some(Proof::Ledger), None];

#[cfg(test)]
mod tests {
    use super::*;

    /// Does not compile when a status or a proof is added; then add it above too.
    #[test]
    fn every_word_can_be_read() {
        for (index, status) in STATUSES.into_iter().enumerate() {
            let expected = match status {
                Status::Migrated => 0,
                Status::Legacy => 1,
                Status::MissingSource => 2,
                Status::MissingTarget => 3,
                Status::Mismatch => 4,
                Status::Conflict => 5,
                Status::RowConflict => 6,
                Status::SourceChanged => 7,
                Status::Superseded => 8,
                Status::Suspect => 9,
                Status::OutOfScope => 10,
                Status::Orphan => 11,
                Status::UnlistedReference => 12,
                Status::DeletedByApplication => 13,
            };
            assert_eq!(index, expected);
            assert_eq!(super::status(status.word()), Ok(status));
        }
        for (index, proof) in PROOFS.into_iter().enumerate() {
            let expected = match proof {
                Some(Proof::ETag) => 0,
                Some(Proof::Checksum) => 1,
                Some(Proof::Sha256) => 2,
                Some(Proof::Ledger) => 3,
                None => 4,
            };
            assert_eq!(index, expected);
            assert_eq!(super::proof(proof.map_or("none", Proof::word)), Ok(proof));
        }
    }
}
