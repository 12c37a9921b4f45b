//! Evidence for more objects than memory holds.

use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::{Deletable, Superseded, VerifiedCopy};
use crate::finding::Proof;
use crate::path::{ETag, ObjectKey};
use crate::spool::Spool;

/// Evidence kept in an unlinked file, in the order in which it was put. Nothing but [`Deletable`] goes in, so that what
/// comes out is evidence again.
#[derive(Debug)]
#[must_use]
pub struct EvidenceSpool(Spool<Record>);

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Record {
    Twin {
        source: String,
        source_etag: Option<String>,
        target: String,
        target_etag: String,
        size: u64,
        proof: String,
        sha256: Option<String>,
    },
    Superseded {
        source: String,
        source_etag: String,
        target: String,
        target_etag: String,
    },
}

impl EvidenceSpool {
    /// An empty spool in `directory`.
    ///
    /// # Errors
    /// If no file can be made there.
    pub fn new(directory: &Path) -> Result<Self> {
        Spool::new(directory).map(Self)
    }

    /// Keeps a piece of evidence.
    ///
    /// # Errors
    /// If the disk is full.
    pub fn push(&mut self, evidence: &Deletable) -> Result<()> {
        self.0.push(&record(evidence))
    }

    /// How many sources there is evidence for.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Gives the evidence back, piece by piece.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn read(self) -> Result<impl Iterator<Item = Result<Deletable>>> {
        Ok(self.0.read()?.map(|record| restored(record?)))
    }
}

/// A piece of evidence as it is kept.
pub(super) fn record(evidence: &Deletable) -> Record {
    match evidence {
        Deletable::Twin(copy) => Record::Twin {
            source: copy.source.as_str().to_owned(),
            source_etag: copy.source_etag.as_ref().map(|etag| etag.as_str().to_owned()),
            target: copy.target.as_str().to_owned(),
            target_etag: copy.target_etag.as_str().to_owned(),
            size: copy.size,
            proof: copy.proof.word().to_owned(),
            sha256: copy.sha256.clone(),
        },
        Deletable::Superseded(old) => Record::Superseded {
            source: old.source.as_str().to_owned(),
            source_etag: old.source_etag.as_str().to_owned(),
            target: old.target.as_str().to_owned(),
            target_etag: old.target_etag.as_str().to_owned(),
        },
    }
}

/// And back.
pub(super) fn restored(record: Record) -> Result<Deletable> {
    Ok(match record {
        Record::Twin { source, source_etag, target, target_etag, size, proof, sha256 } => {
            Deletable::Twin(VerifiedCopy {
                source: ObjectKey::new(source)?,
                source_etag: source_etag.map(|etag| ETag::new(&etag)),
                target: ObjectKey::new(target)?,
                target_etag: ETag::new(&target_etag),
                size,
                proof: Proof::from_word(&proof).context("a temporary file was damaged")?,
                sha256,
            })
        }
        Record::Superseded { source, source_etag, target, target_etag } => Deletable::Superseded(Superseded {
            source: ObjectKey::new(source)?,
            source_etag: ETag::new(&source_etag),
            target: ObjectKey::new(target)?,
            target_etag: ETag::new(&target_etag),
        }),
    })
}
