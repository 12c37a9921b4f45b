//! Scratch objects: written to try what an endpoint does, and always removed.

use super::delete::delete_plain;
use super::failure::Failure;
use super::{Bucket, ObjectInfo, ReadObjects, StoreError};
use crate::path::{ETag, ObjectKey};

/// Writes a scratch object whose content is its own key. `purpose` completes the message where that is forbidden.
pub(super) async fn put(bucket: &Bucket, key: &ObjectKey, purpose: &str) -> Result<ObjectInfo, Failure> {
    let request = bucket.client().put_object().bucket(bucket.name()).key(key.as_str());
    let answer = request.body(key.as_str().as_bytes().to_vec().into()).send().await.map_err(Failure::from);
    let output = answer.map_err(|failure| {
        failure.hint_if_forbidden(&format!("s3:PutObject is needed on .avatar-migrate/* {purpose}"))
    })?;
    let etag = output.e_tag().map(ETag::new).ok_or_else(|| Failure::unusable_answer("the answer gives no ETag"))?;
    Ok(ObjectInfo { key: key.clone(), size: key.as_str().len() as u64, etag, modified_ms: 0 })
}

/// Removes every scratch object below `prefix`, also those of runs that were killed.
pub(super) async fn sweep(bucket: &Bucket, prefix: &str) -> Result<(), StoreError> {
    let mut token = None;
    loop {
        let page = bucket.list(prefix, None, token).await?;
        for object in &page.objects {
            let swept = delete_plain(bucket, &object.key).await;
            swept.map_err(|failure| failure.into_error("DeleteObject", bucket.subject(object.key.as_str())))?;
        }
        token = page.next;
        if token.is_none() {
            return Ok(());
        }
    }
}

/// A well-formed ETag (the MD5 of no bytes) that no scratch object has.
pub(super) const ETAG_OF_NOTHING_HERE: &str = "d41d8cd98f00b204e9800998ecf8427e";
