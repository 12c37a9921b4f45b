//! The report as CSV (RFC 4180): one line per row in scope and per orphan, written once, read back exactly.

mod defuse;
mod read;
mod write;

pub use read::{ReadError, ReportLine, ReportReader};
pub use write::ReportWriter;

/// The header of every report. API: columns are never renamed or reordered.
pub const COLUMNS: [&str; 14] = [
    "status",
    "table",
    "column",
    "primary_key",
    "legacy_path",
    "modern_path",
    "source_key",
    "target_key",
    "size",
    "source_etag",
    "target_etag",
    "sha256",
    "proof",
    "detail",
];

#[cfg(test)]
pub(super) use read::STATUSES;

#[cfg(test)]
mod tests;
