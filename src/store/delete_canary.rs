//! Canaries for deletes: does this endpoint keep an object when a conditional delete names another ETag? Many do not.

use super::delete::{DeleteMode, Verdict, delete_batch, delete_if_match};
use super::failure::Failure;
use super::scratch::{ETAG_OF_NOTHING_HERE, Scratch, put, swept};
use super::{Bucket, DeleteEnd, DeleteItem, ReadObjects, StoreError};
use crate::path::ETag;

/// The strongest conditional delete that is enforced; `None` if there is none.
///
/// A batch deleter falls back to single deletes for keys that XML cannot carry, so a batch counts only where singles
/// do.
pub(super) async fn prove(bucket: &Bucket, scratch: &Scratch) -> Result<Option<DeleteMode>, StoreError> {
    swept(bucket, &scratch.prefix(TRIAL), enforced_mode(bucket, scratch)).await
}

async fn enforced_mode(bucket: &Bucket, scratch: &Scratch) -> Result<Option<DeleteMode>, StoreError> {
    if !is_enforced(bucket, DeleteMode::Single, scratch).await? {
        return Ok(None);
    }
    let batch = is_enforced(bucket, DeleteMode::Batch, scratch).await?;
    Ok(Some(if batch { DeleteMode::Batch } else { DeleteMode::Single }))
}

/// Whether a delete with a wrong ETag is refused and keeps the object, and one with the right ETag removes it. The
/// second half matters as well: an endpoint that refuses every ETag, for its quotes say, would delete nothing.
async fn is_enforced(bucket: &Bucket, mode: DeleteMode, scratch: &Scratch) -> Result<bool, StoreError> {
    let failed = |failure: Failure| failure.into_error("delete canary", bucket.subject(&scratch.prefix(TRIAL)));
    let name = match mode {
        DeleteMode::Batch => "batch",
        DeleteMode::Single | DeleteMode::Compare => "single",
    };
    let key = scratch.key(TRIAL, name).map_err(failed)?;
    let etag = put(bucket, &key, "to prove conditional deletes").await.map_err(failed)?.etag;
    let wrong = DeleteItem { key: key.clone(), etag: ETag::new(ETAG_OF_NOTHING_HERE) };
    if delete(bucket, mode, &wrong).await.map_err(failed)? != Some(DeleteEnd::Changed) {
        return Ok(false);
    }
    if bucket.head(&key).await?.is_none_or(|details| details.info.etag != etag) {
        return Ok(false);
    }
    let right = DeleteItem { key: key.clone(), etag };
    let end = delete(bucket, mode, &right).await.map_err(failed)?;
    Ok(end == Some(DeleteEnd::Deleted) && bucket.head(&key).await?.is_none())
}

/// How a delete ended; `None` where the server does not know how to do it. What says nothing of conditions, such as a
/// missing permission or a throttled request, is an error: it must not pass for an endpoint that ignores them.
async fn delete(bucket: &Bucket, mode: DeleteMode, item: &DeleteItem) -> Result<Option<DeleteEnd>, Failure> {
    let verdict = match mode {
        DeleteMode::Batch => delete_batch(bucket, &[item]).await.map(|verdicts| verdicts.into_iter().next()),
        DeleteMode::Single | DeleteMode::Compare => delete_if_match(bucket, item).await.map(Some),
    };
    match verdict {
        Ok(Some(Verdict::End(end))) => Ok(Some(end)),
        Ok(Some(Verdict::Again(reason))) => Err(Failure::unusable_answer(reason)),
        Ok(None) => Ok(None),
        Err(failure) if failure.is_unsupported() => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// What the scratch objects of this trial are named after.
const TRIAL: &str = "delete";
