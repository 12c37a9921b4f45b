//! What can be found out about a row or an object: the vocabulary of reports.

use crate::path::{ETag, ObjectKey};

/// The ending of a row or of an orphan, as the report's first column names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// The row is modern and resolves.
    Migrated,
    /// The row is legacy and can move.
    Legacy,
    /// The row is legacy and its object does not exist.
    MissingSource,
    /// The row is modern and its object does not exist.
    MissingTarget,
    /// The row is modern and its object differs from the source, which nothing explains.
    Mismatch,
    /// The row is legacy and the target holds other bytes.
    Conflict,
    /// The row is legacy and a unique key forbids its new path.
    RowConflict,
    /// The row is modern and its source was written after it was copied.
    SourceChanged,
    /// The row is modern and the application replaced its object since.
    Superseded,
    /// The row seems to mean a legacy object in a form that no mapping covers.
    Suspect,
    /// The row has the legacy prefix, but its name does not fit the pattern.
    OutOfScope,
    /// An in-scope object of the legacy bucket that no row names.
    Orphan,
    /// A legacy path in a column that an explicit `--reference` left out.
    UnlistedReference,
    /// An orphan whose checked copy the application has deleted since.
    DeletedByApplication,
}

impl Status {
    /// The word in the report.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Migrated => "migrated",
            Self::Legacy => "legacy",
            Self::MissingSource => "missing_source",
            Self::MissingTarget => "missing_target",
            Self::Mismatch => "mismatch",
            Self::Conflict => "conflict",
            Self::RowConflict => "row_conflict",
            Self::SourceChanged => "source_changed",
            Self::Superseded => "superseded",
            Self::Suspect => "suspect",
            Self::OutOfScope => "out_of_scope",
            Self::Orphan => "orphan",
            Self::UnlistedReference => "unlisted_reference",
            Self::DeletedByApplication => "deleted_by_application",
        }
    }

    /// Whether the twins hold other bytes, and a person has to decide which of them stays.
    #[must_use]
    pub fn is_dispute(self) -> bool {
        [Self::Mismatch, Self::SourceChanged, Self::Conflict].contains(&self)
    }

    /// Whether finalize must refuse while this is found.
    #[must_use]
    pub fn blocks(self) -> bool {
        match self {
            Self::Legacy
            | Self::MissingSource
            | Self::MissingTarget
            | Self::Mismatch
            | Self::Conflict
            | Self::RowConflict
            | Self::SourceChanged
            | Self::Suspect
            | Self::UnlistedReference => true,
            Self::Migrated | Self::Superseded | Self::OutOfScope | Self::Orphan | Self::DeletedByApplication => false,
        }
    }
}

/// How equal content was proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// Equal single-part ETags and sizes.
    ETag,
    /// Equal stored checksums over the whole object.
    Checksum,
    /// Equal SHA-256 of the bytes.
    Sha256,
    /// The source is gone; the live target has the ETag that was recorded when it was checked.
    Ledger,
}

impl Proof {
    /// The proof that a word stands for.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::ETag, Self::Checksum, Self::Sha256, Self::Ledger].into_iter().find(|proof| proof.word() == word)
    }

    /// The word in the report; no proof is `none`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::ETag => "etag",
            Self::Checksum => "checksum",
            Self::Sha256 => "sha256",
            Self::Ledger => "ledger",
        }
    }
}

/// One line of a report: a row in scope, or an orphan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The ending.
    pub status: Status,
    /// Table, column and primary key of the row; `None` for an orphan.
    pub row: Option<RowPlace>,
    /// The legacy path: stored, or the inverse of the stored modern one.
    pub legacy_path: Option<String>,
    /// The modern path: stored, or what the legacy one becomes.
    pub modern_path: Option<String>,
    /// The key in the legacy bucket.
    pub source_key: Option<ObjectKey>,
    /// The key in the production bucket.
    pub target_key: Option<ObjectKey>,
    /// The size in bytes: the target's, else the source's.
    pub size: Option<u64>,
    /// The source's ETag, if the source exists.
    pub source_etag: Option<ETag>,
    /// The target's ETag, if the target exists.
    pub target_etag: Option<ETag>,
    /// SHA-256 of the content in hexadecimal, where it was computed.
    pub sha256: Option<String>,
    /// How equal content was proved.
    pub proof: Option<Proof>,
    /// One sentence for a person: why, and what to do.
    pub detail: String,
}

impl Finding {
    /// A finding of which only the ending is known.
    #[must_use]
    pub fn new(status: Status, detail: &str) -> Self {
        Self {
            status,
            row: None,
            legacy_path: None,
            modern_path: None,
            source_key: None,
            target_key: None,
            size: None,
            source_etag: None,
            target_etag: None,
            sha256: None,
            proof: None,
            detail: detail.to_owned(),
        }
    }
}

/// Where a path stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowPlace {
    /// The table.
    pub table: String,
    /// The column.
    pub column: String,
    /// The primary key as text; a JSON array for a composite one; empty for a table without one.
    pub primary_key: String,
}
