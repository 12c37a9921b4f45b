//! Canary for checksums: does this endpoint compute the SHA-256 of a copy when it is asked to, and the right one?

use sha2::{Digest, Sha256};

use super::failure::Failure;
use super::scratch::{Scratch, put, swept};
use super::{Bucket, Copier, CopyEnd, CopyGuard, CopyObjects, Sha256Digest, StoreError};

/// What the endpoint says of the SHA-256 of a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CopyChecksum {
    /// It computes the right one.
    Right,
    /// It gives one that is not the content's.
    Wrong,
    /// It gives none.
    None,
}

/// Copies a scratch object inside `bucket` and compares what the answer says of its content. Scratch objects are removed,
/// those of earlier runs too.
///
/// # Errors
/// [`StoreError`] if the scratch objects cannot be written, copied or removed.
pub async fn prove_checksum(bucket: &Bucket, copier: &Copier, scratch: &Scratch) -> Result<CopyChecksum, StoreError> {
    swept(bucket, &scratch.prefix(TRIAL), tried(bucket, copier, scratch)).await
}

async fn tried(bucket: &Bucket, copier: &Copier, scratch: &Scratch) -> Result<CopyChecksum, StoreError> {
    let failed = |failure: Failure| failure.into_error("checksum canary", bucket.subject(&scratch.prefix(TRIAL)));
    let key = |name: &str| scratch.key(TRIAL, name).map_err(failed);
    let source = put(bucket, &key("source")?, "to see checksums of copies").await.map_err(failed)?;
    let content = Sha256Digest(Sha256::digest(source.key.as_str().as_bytes()).into());
    match copier.copy(&source, &key("target")?, &CopyGuard::Absent).await? {
        CopyEnd::Copied { sha256: Some(told), .. } if told == content => Ok(CopyChecksum::Right),
        CopyEnd::Copied { sha256: Some(_), .. } => Ok(CopyChecksum::Wrong),
        CopyEnd::Copied { sha256: None, .. } => Ok(CopyChecksum::None),
        CopyEnd::Unsettled | CopyEnd::MissingSource => {
            Err(failed(Failure::unusable_answer("a plain copy of a scratch object did not succeed")))
        }
    }
}

/// What the scratch objects of this trial are named after.
const TRIAL: &str = "checksum";
