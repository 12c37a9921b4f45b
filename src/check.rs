//! The check: whether two objects hold the same bytes, and how that was proved.
//!
//! This is the only maker of [`VerifiedCopy`], and of the ledger's mark `verified`, which lets rows move. The ladder of
//! proofs: equal single-part ETags, equal stored checksums over the whole object, equal bytes. Size alone
//! never proves; unequal ETags alone never disprove.

mod deletable;
mod objects;
mod shared;
mod spool;

use crate::config::CheckMode;
use crate::database::{LedgerObject, ObjectMark, ObjectState};
use crate::finding::Proof;
use crate::path::{ETag, ObjectKey};
pub use deletable::{Deletable, Settled, Superseded, settled, superseded};
pub use objects::VerifiedObjects;
pub use shared::SharedEvidence;
pub use spool::EvidenceSpool;

use crate::store::{Hashed, ObjectDetails, ObjectInfo, ReadObjects, Sha256Digest, SideBySide, StoreError};

/// Evidence that a production object holds the bytes of its legacy twin (or, with [`Proof::Ledger`], of a twin that was
/// checked before it went). Made by [`Checker`] alone; cannot be built, cloned or changed elsewhere.
///
/// ```compile_fail
/// use avatar_migrate::check::VerifiedCopy;
/// fn forge(one: &VerifiedCopy) -> VerifiedCopy {
///     one.clone()
/// }
/// ```
///
/// The twin that compiles:
///
/// ```
/// use avatar_migrate::check::VerifiedCopy;
/// fn look(one: &VerifiedCopy) -> u64 {
///     one.size()
/// }
/// ```
#[derive(Debug)]
#[must_use]
pub struct VerifiedCopy {
    source: ObjectKey,
    source_etag: Option<ETag>,
    target: ObjectKey,
    target_etag: ETag,
    size: u64,
    proof: Proof,
    sha256: Option<String>,
}

impl VerifiedCopy {
    /// The key in the legacy bucket.
    #[must_use]
    pub fn source(&self) -> &ObjectKey {
        &self.source
    }

    /// The ETag that the source had when it was compared; `None` if it was gone.
    #[must_use]
    pub fn source_etag(&self) -> Option<&ETag> {
        self.source_etag.as_ref()
    }

    /// The key in the production bucket.
    #[must_use]
    pub fn target(&self) -> &ObjectKey {
        &self.target
    }

    /// The ETag that the target had when it was compared.
    #[must_use]
    pub fn target_etag(&self) -> &ETag {
        &self.target_etag
    }

    /// The size in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// How equal content was proved.
    #[must_use]
    pub fn proof(&self) -> Proof {
        self.proof
    }

    /// The SHA-256 of the content in hexadecimal, where it became known.
    #[must_use]
    pub fn sha256(&self) -> Option<&str> {
        self.sha256.as_deref()
    }
}

/// How a comparison ended.
#[derive(Debug)]
pub enum Compared {
    /// The same bytes.
    Same(VerifiedCopy),
    /// Other bytes, with the difference in words.
    Different(String),
    /// One of the two changed or went while it was read: look again.
    Moved,
}

/// Compares objects of the two buckets.
#[derive(Debug)]
pub struct Checker<'a, R> {
    source: &'a R,
    target: &'a R,
    mode: CheckMode,
}

impl<'a, R: ReadObjects> Checker<'a, R> {
    /// A checker that climbs the ladder as `mode` says.
    pub fn new(source: &'a R, target: &'a R, mode: CheckMode) -> Self {
        Self { source, target, mode }
    }

    /// Compares two objects as they are now. `known` is a SHA-256 that was computed over one of the two while it was
    /// copied; it spares reading that one, but never the other.
    ///
    /// # Errors
    /// If a bucket cannot be read.
    pub async fn compare(
        &self,
        source: &ObjectInfo,
        target: &ObjectInfo,
        known: Option<(Hashed, Sha256Digest)>,
    ) -> Result<Compared, StoreError> {
        if source.size != target.size {
            return Ok(Compared::Different(format!("the sizes differ: {} and {} bytes", source.size, target.size)));
        }
        match self.mode {
            CheckMode::Auto => {
                if source.etag == target.etag && source.etag.is_single_part() {
                    return Ok(same(source, target, Proof::ETag, known.map(|(_, digest)| hex(digest))));
                }
                if let Some(compared) = Box::pin(self.compare_checksums(source, target)).await? {
                    return Ok(compared);
                }
                Box::pin(self.compare_bytes(source, target, known)).await
            }
            CheckMode::Sha256 => Box::pin(self.compare_bytes(source, target, None)).await,
        }
    }

    /// Compares stored checksums of one algorithm over the whole object; `None` if the two have none in common.
    async fn compare_checksums(
        &self,
        source: &ObjectInfo,
        target: &ObjectInfo,
    ) -> Result<Option<Compared>, StoreError> {
        let (ours, theirs) =
            futures::future::try_join(self.source.head(&source.key), self.target.head(&target.key)).await?;
        let (Some(ours), Some(theirs)) = (ours, theirs) else { return Ok(Some(Compared::Moved)) };
        if ours.info.etag != source.etag || theirs.info.etag != target.etag {
            return Ok(Some(Compared::Moved));
        }
        Ok(common_checksum(&ours, &theirs).map(|(algorithm, equal)| {
            if equal {
                same(source, target, Proof::Checksum, None)
            } else {
                Compared::Different(format!("the stored {algorithm} checksums differ"))
            }
        }))
    }

    async fn compare_bytes(
        &self,
        source: &ObjectInfo,
        target: &ObjectInfo,
        known: Option<(Hashed, Sha256Digest)>,
    ) -> Result<Compared, StoreError> {
        let Some((hashed, known)) = known else { return self.compare_side_by_side(source, target).await };
        let other = match hashed {
            Hashed::Source => self.target.sha256(target).await?,
            Hashed::Target => self.source.sha256(source).await?,
        };
        Ok(match other {
            Some(other) if other == known => same(source, target, Proof::Sha256, Some(hex(known))),
            Some(_) => Compared::Different("the SHA-256 of the bytes differ".to_owned()),
            None => Compared::Moved,
        })
    }

    async fn compare_side_by_side(&self, source: &ObjectInfo, target: &ObjectInfo) -> Result<Compared, StoreError> {
        Ok(match self.source.compare(source, self.target, target).await? {
            SideBySide::Same(digest) => same(source, target, Proof::Sha256, Some(hex(digest))),
            SideBySide::DifferAt(offset) => Compared::Different(format!("the bytes differ, first at offset {offset}")),
            SideBySide::Moved => Compared::Moved,
        })
    }
}

/// The evidence for a source that is gone: the live target still has the ETag that was recorded when it was checked.
#[must_use]
pub fn proved_by_ledger(recorded: &LedgerObject, target: &ObjectInfo) -> Option<VerifiedCopy> {
    let checked = recorded.proof.is_some() && recorded.target_etag.as_ref() == Some(&target.etag);
    checked.then(|| VerifiedCopy {
        source: recorded.source.clone(),
        source_etag: None,
        target: target.key.clone(),
        target_etag: target.etag.clone(),
        size: target.size,
        proof: Proof::Ledger,
        sha256: recorded.sha256.clone(),
    })
}

/// Whether the target object was written by this migration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnCopy {
    /// This migration copied it: if its source changes before its rows move, it may be replaced.
    Ours,
    /// It was there already: it is never replaced.
    Found,
}

fn mark(copy: VerifiedCopy, own: OwnCopy, pass: u32) -> ObjectMark {
    let detail = format!("checked by {}", copy.proof.word());
    let object = LedgerObject {
        source: copy.source,
        target: copy.target,
        state: ObjectState::Verified,
        source_etag: copy.source_etag,
        target_etag: Some(copy.target_etag),
        own_copy: own == OwnCopy::Ours,
        sha256: copy.sha256,
        proof: Some(copy.proof),
    };
    ObjectMark { object, size: Some(copy.size), detail, pass }
}

fn same(source: &ObjectInfo, target: &ObjectInfo, proof: Proof, sha256: Option<String>) -> Compared {
    Compared::Same(VerifiedCopy {
        source: source.key.clone(),
        source_etag: Some(source.etag.clone()),
        target: target.key.clone(),
        target_etag: target.etag.clone(),
        size: target.size,
        proof,
        sha256,
    })
}

fn common_checksum(ours: &ObjectDetails, theirs: &ObjectDetails) -> Option<(String, bool)> {
    let common =
        ours.checksums.iter().find_map(|(algorithm, sum)| Some((algorithm, sum, theirs.checksums.get(algorithm)?)));
    common.map(|(algorithm, ours, theirs)| (algorithm.clone(), ours == theirs))
}

fn hex(digest: Sha256Digest) -> String {
    digest.0.iter().map(|byte| format!("{byte:02x}")).collect()
}
