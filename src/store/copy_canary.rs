//! Canaries for copies: does this endpoint refuse to overwrite, and to copy what changed? Many ignore such conditions.

use std::time::Duration;

use futures::future::{BoxFuture, join3, try_join_all};
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use tokio::time::timeout;

use super::failure::Failure;
use super::scratch::{ETAG_OF_NOTHING_HERE, Scratch, put, remove, sweep};
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

/// A trial that has told what it was made for. What it wrote last is removed when it is [cleared](Self::cleared).
#[must_use]
pub struct Tried<'a> {
    bucket: &'a Bucket,
    conditions: CopyConditions,
    writing: Writing<'a>,
}

impl Tried<'_> {
    /// What the endpoint enforces.
    #[must_use]
    pub fn conditions(&self) -> CopyConditions {
        self.conditions
    }

    /// Waits for the last scratch object to be written, and removes it.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be written or removed.
    pub async fn cleared(mut self) -> Result<CopyConditions, StoreError> {
        while let Some(late) = self.writing.next().await {
            remove(self.bucket, &late?.key).await?;
        }
        Ok(self.conditions)
    }
}

/// Tries the conditions on scratch objects in `bucket`, with the copier itself: `copier` has to copy inside that bucket.
/// Scratch objects are removed, those of earlier runs too; one may still be on its way, and goes when the trial is
/// [cleared](Tried::cleared).
///
/// # Errors
/// [`StoreError`] if the scratch objects cannot be written, judged or removed.
pub async fn prove_copies<'a>(
    bucket: &'a Bucket,
    copier: &impl CopyObjects,
    scratch: &Scratch,
) -> Result<Tried<'a>, StoreError> {
    let prefix = scratch.prefix(TRIAL);
    sweep(bucket, &prefix).await?;
    let mut writing = Writing::new();
    let tried = tried(bucket, copier, scratch, &mut writing).await;
    if tried.is_err() {
        // What is still being written would outlive the sweep. The trial's own error is the one to tell.
        while writing.next().await.is_some() {}
        sweep(bucket, &prefix).await.ok();
    }
    tried.map(|conditions| Tried { bucket, conditions, writing })
}

/// Scratch objects that are being written.
type Writing<'a> = FuturesUnordered<BoxFuture<'a, Result<ObjectInfo, StoreError>>>;

/// After this long the first scratch object is not waited for alone any more.
const FIRST_WRITE_LONG: Duration = Duration::from_millis(30);

async fn tried<'a>(
    bucket: &'a Bucket,
    copier: &impl CopyObjects,
    scratch: &Scratch,
    writing: &mut Writing<'a>,
) -> Result<CopyConditions, StoreError> {
    let key = |name: &str| scratch.key(TRIAL, name).map_err(|failure| failed(failure, bucket, &scratch.prefix(TRIAL)));
    let objects = three_written(bucket, [key("1")?, key("2")?, key("3")?, key("4")?], writing).await?;
    let [source, kept, other] = &objects;
    let (nobody, target) = (ETag::new(ETAG_OF_NOTHING_HERE), key("target")?);
    let changed = ObjectInfo { etag: nobody.clone(), ..source.clone() };
    // None is given up for another one's failure: what it makes would outlive the sweep.
    let (own_copy, absent, of_changed) = join3(
        refused(bucket, copier, source, kept, CopyGuard::OwnCopy(nobody)),
        refused(bucket, copier, source, other, CopyGuard::Absent),
        async {
            let end = copier.copy(&changed, &target, &CopyGuard::Absent).await?;
            Ok::<_, StoreError>((end, bucket.head(&target).await?.is_some()))
        },
    )
    .await;
    let (own_copy, absent, (of_changed, made)) = (own_copy?, absent?, of_changed?);
    let left = objects.iter().map(|object| &object.key).chain(made.then_some(&target));
    try_join_all(left.map(|key| remove(bucket, key))).await?;
    // A source that is gone, swept by a run on another schema, has proved nothing.
    let source = matches!(of_changed, CopyEnd::Unsettled) && !made;
    Ok(CopyConditions { absent, own_copy, source })
}

/// Writes four scratch objects; gives the first three that are there, and leaves the last one to `writing`.
///
/// Copies wait for this trial, and the first write into a bucket may take long by itself: SeaweedFS has made room for it
/// after some 10 ms, but looks for that room 200 ms later, or a second where several came at once. What is written in the
/// meantime finds it.
async fn three_written<'a>(
    bucket: &'a Bucket,
    keys: [ObjectKey; 4],
    writing: &mut Writing<'a>,
) -> Result<[ObjectInfo; 3], StoreError> {
    let mut writes = keys.into_iter().map(|key| write(bucket, key).boxed());
    writing.extend(writes.next());
    let mut first = timeout(FIRST_WRITE_LONG, writing.select_next_some()).await.ok();
    writing.extend(writes);
    let mut next = async || match first.take() {
        Some(written) => written,
        None => writing.select_next_some().await,
    };
    Ok([next().await?, next().await?, next().await?])
}

async fn write(bucket: &Bucket, key: ObjectKey) -> Result<ObjectInfo, StoreError> {
    let written = put(bucket, &key, "to prove conditional copies").await;
    written.map_err(|failure| failed(failure, bucket, key.as_str()))
}

fn failed(failure: Failure, bucket: &Bucket, subject: &str) -> StoreError {
    failure.into_error("copy canary", bucket.subject(subject))
}

/// Whether a copy over `kept` is refused, and `kept` is what it was.
async fn refused(
    bucket: &Bucket,
    copier: &impl CopyObjects,
    source: &ObjectInfo,
    kept: &ObjectInfo,
    guard: CopyGuard,
) -> Result<bool, StoreError> {
    let end = copier.copy(source, &kept.key, &guard).await?;
    let now = bucket.head(&kept.key).await?;
    Ok(!matches!(end, CopyEnd::Copied { .. }) && now.is_some_and(|details| details.info.etag == kept.etag))
}

/// What the scratch objects of this trial are named after.
const TRIAL: &str = "copy";
