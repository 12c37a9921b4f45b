//! Canaries for copies: does this endpoint refuse to overwrite, and to copy what changed? Many ignore such conditions.

use super::failure::Failure;
use super::scratch::{ETAG_OF_NOTHING_HERE, Scratch, put, swept};
use super::{Bucket, CopyEnd, CopyGuard, CopyObjects, ObjectInfo, ReadObjects, StoreError};
use crate::path::ETag;

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

    /// What the endpoint ignores, each with what is done instead. Nothing where all conditions are enforced.
    #[must_use]
    pub fn shortcomings(self) -> Vec<&'static str> {
        let all = [
            (
                self.absent,
                "the endpoint would overwrite (it ignores If-None-Match): each target is looked at before its copy",
            ),
            (
                self.own_copy,
                "the endpoint ignores If-Match on copies: a copy whose source changed is reported, not replaced",
            ),
            (self.source, "the endpoint copies a source that changed: each copy is compared with what was listed"),
        ];
        all.into_iter().filter(|(enforced, _)| !enforced).map(|(_, text)| text).collect()
    }
}

/// Tries the conditions on scratch objects in `bucket`, with the copier itself: `copier` has to copy inside that bucket.
/// Scratch objects are removed, those of earlier runs too.
///
/// # Errors
/// [`StoreError`] if the scratch objects cannot be written, judged or removed.
pub async fn prove_copies(
    bucket: &Bucket,
    copier: &impl CopyObjects,
    scratch: &Scratch,
) -> Result<CopyConditions, StoreError> {
    swept(bucket, &scratch.prefix(TRIAL), tried(bucket, copier, scratch)).await
}

async fn tried(bucket: &Bucket, copier: &impl CopyObjects, scratch: &Scratch) -> Result<CopyConditions, StoreError> {
    let failed = |failure: Failure| failure.into_error("copy canary", bucket.subject(&scratch.prefix(TRIAL)));
    let written = async |name: &str| {
        let key = scratch.key(TRIAL, name).map_err(failed)?;
        put(bucket, &key, "to prove conditional copies").await.map_err(failed)
    };
    let (source, kept) = (written("source").await?, written("kept").await?);
    let nobody = ETag::new(ETAG_OF_NOTHING_HERE);
    let own_copy = refused(bucket, copier, &source, &kept, &CopyGuard::OwnCopy(nobody.clone())).await?;
    let absent = refused(bucket, copier, &source, &kept, &CopyGuard::Absent).await?;
    let changed = ObjectInfo { etag: nobody, ..source };
    let target = scratch.key(TRIAL, "target").map_err(failed)?;
    let end = copier.copy(&changed, &target, &CopyGuard::Absent).await?;
    // A source that is gone, swept by a run on another schema, has proved nothing.
    let source = matches!(end, CopyEnd::Unsettled) && bucket.head(&target).await?.is_none();
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

/// What the scratch objects of this trial are named after.
const TRIAL: &str = "copy";
