//! Canaries for copies: does this endpoint refuse to overwrite, and to copy what changed? Many ignore such conditions.

use super::failure::Failure;
use super::scratch::{ETAG_OF_NOTHING_HERE, put, sweep};
use super::{Bucket, CopyEnd, CopyGuard, CopyObjects, ObjectInfo, ReadObjects, StoreError};
use crate::path::{ETag, ObjectKey};

/// Which conditions on a copy the endpoint of a bucket was seen to enforce.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CopyConditions {
    /// `If-None-Match: *` keeps an object that is there.
    pub absent: bool,
    /// `If-Match` keeps an object with another ETag.
    pub own_copy: bool,
    /// `x-amz-copy-source-if-match` (or `If-Match` on the GET of a streamed copy) refuses a changed source.
    pub source: bool,
}

impl CopyConditions {
    /// Nothing was seen to be enforced.
    pub const NONE: Self = Self { absent: false, own_copy: false, source: false };

    /// Whether all of them are enforced.
    #[must_use]
    pub fn all(self) -> bool {
        self.absent && self.own_copy && self.source
    }
}

/// Tries the conditions on scratch objects below `.avatar-migrate/canary-copy-` in `bucket`, with the copier itself:
/// `copier` has to copy inside that bucket. Scratch objects are removed, those of earlier runs too.
///
/// # Errors
/// [`StoreError`] if the scratch objects cannot be written, judged or removed.
pub async fn prove_copies(bucket: &Bucket, copier: &impl CopyObjects, run: &str) -> Result<CopyConditions, StoreError> {
    sweep(bucket, SCRATCH).await?;
    let conditions = tried(bucket, copier, run).await;
    // Removed however the trial went; its own error comes first.
    let swept = sweep(bucket, SCRATCH).await;
    let conditions = conditions?;
    swept?;
    Ok(conditions)
}

async fn tried(bucket: &Bucket, copier: &impl CopyObjects, run: &str) -> Result<CopyConditions, StoreError> {
    let scratch = |name: &str| {
        ObjectKey::new(format!("{SCRATCH}{run}-{name}"))
            .map_err(|error| failed(bucket, Failure::unusable_answer(error.to_string())))
    };
    let written = async |name: &str| {
        let put = put(bucket, &scratch(name)?, "to prove conditional copies").await;
        put.map_err(|failure| failed(bucket, failure))
    };
    let (source, kept) = (written("source").await?, written("kept").await?);
    let nobody = ETag::new(ETAG_OF_NOTHING_HERE);
    let own_copy = refused(bucket, copier, &source, &kept, &CopyGuard::OwnCopy(nobody.clone())).await?;
    let absent = refused(bucket, copier, &source, &kept, &CopyGuard::Absent).await?;
    let changed = ObjectInfo { etag: nobody, ..source };
    let target = scratch("target")?;
    let end = copier.copy(&changed, &target, &CopyGuard::Absent).await?;
    let source = !matches!(end, CopyEnd::Copied { .. }) && bucket.head(&target).await?.is_none();
    Ok(CopyConditions { absent, own_copy, source })
}

/// Whether a copy over `kept` is refused, and `kept` is what it was.
async fn refused(
    bucket: &Bucket,
    copier: &impl CopyObjects,
    source: &ObjectInfo,
    kept: &ObjectInfo,
    guard: &CopyGuard,
) -> Result<bool, StoreError> {
    let end = copier.copy(source, &kept.key, guard).await?;
    let now = bucket.head(&kept.key).await?;
    Ok(!matches!(end, CopyEnd::Copied { .. }) && now.is_some_and(|details| details.info.etag == kept.etag))
}

fn failed(bucket: &Bucket, failure: Failure) -> StoreError {
    failure.into_error("copy canary", bucket.subject(SCRATCH))
}

/// Nothing but copy canaries is below this prefix.
const SCRATCH: &str = ".avatar-migrate/canary-copy-";
