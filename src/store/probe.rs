//! What `doctor` tries with scratch objects of its own, beside the canaries.

use super::failure::Failure;
use super::scratch::{Scratch, put, swept};
use super::{Bucket, ReadObjects, StoreError};

/// Writes a scratch object and removes it.
///
/// # Errors
/// [`StoreError`] with what is not allowed.
pub async fn probe_write(bucket: &Bucket, scratch: &Scratch) -> Result<(), StoreError> {
    let prefix = scratch.prefix("write");
    swept(bucket, &prefix, async {
        let failed = |failure: Failure| failure.into_error("PutObject", bucket.subject(&prefix));
        let key = scratch.key("write", "object").map_err(failed)?;
        put(bucket, &key, "for scratch objects").await.map(drop).map_err(failed)
    })
    .await
}

/// Whether two names stand for one bucket: what is written through the one is read through the other.
///
/// # Errors
/// [`StoreError`] if the scratch object cannot be written, looked for, or removed.
pub async fn is_same_bucket(one: &Bucket, other: &Bucket, scratch: &Scratch) -> Result<bool, StoreError> {
    let prefix = scratch.prefix("same");
    swept(one, &prefix, async {
        let failed = |failure: Failure| failure.into_error("PutObject", one.subject(&prefix));
        let key = scratch.key("same", "object").map_err(failed)?;
        let written = put(one, &key, "for scratch objects").await.map_err(failed)?;
        let seen = other.head(&key).await?;
        Ok(seen.is_some_and(|seen| seen.info.etag == written.etag))
    })
    .await
}
