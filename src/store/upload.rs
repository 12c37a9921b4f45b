//! The frame of a multipart upload: begin, complete under the guard, abort whatever does not complete.

use std::time::{Duration, SystemTime};

use aws_sdk_s3::primitives::DateTime;
use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumType, CompletedMultipartUpload, CompletedPart};
use tokio::runtime::Handle;

use super::attributes::{Headers, SendHeaders};
use super::failure::Failure;
use super::{Bucket, CopyGuard, patience};
use crate::path::{ETag, ObjectKey};

/// What a new object carries besides its bytes.
#[derive(Debug)]
pub(super) struct Attributes {
    pub(super) headers: Headers,
    pub(super) tagging: Option<String>,
    /// A checksum over the whole object that S3 shall keep.
    pub(super) checksum: Option<ChecksumAlgorithm>,
}

/// An upload that is not completed. Dropped, it is aborted in the background as far as the runtime still runs; what is
/// left even so is aborted by the next upload of the same key, a day later.
#[derive(Debug)]
pub(super) struct Upload {
    bucket: Bucket,
    key: ObjectKey,
    id: String,
    size: u64,
    open: bool,
}

impl Upload {
    /// Begins an upload of `size` bytes.
    pub(super) async fn begin(
        bucket: &Bucket,
        key: &ObjectKey,
        size: u64,
        attributes: Attributes,
    ) -> Result<Self, Failure> {
        abort_stale(bucket, key).await;
        let request = bucket.client().create_multipart_upload().bucket(bucket.name()).key(key.as_str());
        let request = request
            .set_checksum_type(attributes.checksum.as_ref().map(|_| ChecksumType::FullObject))
            .set_checksum_algorithm(attributes.checksum)
            .set_tagging(attributes.tagging);
        let output = request.customize().interceptor(SendHeaders(attributes.headers)).send().await?;
        let id = output.upload_id().ok_or_else(|| Failure::unusable_answer("the answer gives no upload id"))?;
        Ok(Self { bucket: bucket.clone(), key: key.clone(), id: id.to_owned(), size, open: true })
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// Makes the object of these parts, given in order, if the target is as `guard` demands. `None` for an answer that
    /// names no ETag. An upload that cannot be completed is aborted.
    pub(super) async fn complete(
        mut self,
        parts: Vec<CompletedPart>,
        guard: &CopyGuard,
    ) -> Result<Option<ETag>, Failure> {
        let request = self.bucket.client().complete_multipart_upload();
        let request = request
            .bucket(self.bucket.name())
            .key(self.key.as_str())
            .upload_id(&self.id)
            .multipart_upload(CompletedMultipartUpload::builder().set_parts(Some(parts)).build())
            .set_mpu_object_size(i64::try_from(self.size).ok())
            .set_if_none_match(guard.if_none_match())
            .set_if_match(guard.if_match());
        let answer = request
            .customize()
            .config_override(patience::for_silent_work(self.bucket.client(), self.size))
            .send()
            .await;
        match answer.map_err(Failure::from) {
            Ok(output) => {
                self.open = false;
                Ok(output.e_tag().map(ETag::new).filter(|etag| !etag.as_str().is_empty()))
            }
            Err(failure) => {
                self.abort().await;
                Err(failure)
            }
        }
    }

    /// Gives up, and waits until S3 has forgotten the parts. A failure is only logged: the upload itself has one
    /// already.
    pub(super) async fn abort(mut self) {
        self.open = false;
        abort(self.bucket.clone(), self.key.clone(), self.id.clone()).await;
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        if let (true, Ok(runtime)) = (self.open, Handle::try_current()) {
            runtime.spawn(abort(self.bucket.clone(), self.key.clone(), self.id.clone()));
        }
    }
}

/// Aborts uploads of exactly this key that nobody can still be working on. An upload does not tell who began it, and
/// the application may be uploading the same key, so only age decides.
async fn abort_stale(bucket: &Bucket, key: &ObjectKey) {
    let request = bucket.client().list_multipart_uploads().bucket(bucket.name()).prefix(key.as_str());
    let uploads = match request.send().await.map_err(Failure::from) {
        Ok(output) => output.uploads.unwrap_or_default(),
        Err(failure) => {
            // A convenience: s3:ListBucketMultipartUploads is no permission that a copy should need.
            let subject = bucket.subject(key.as_str());
            tracing::debug!(key = %subject, reason = failure.message(), "stale uploads are not listed");
            return;
        }
    };
    let limit = SystemTime::now().checked_sub(STALE_AFTER).map(DateTime::from);
    for upload in uploads.into_iter().filter(|upload| upload.key() == Some(key.as_str())) {
        if let (Some(id), Some(begun)) = (upload.upload_id, upload.initiated)
            && limit.is_some_and(|limit| begun < limit)
        {
            abort(bucket.clone(), key.clone(), id).await;
        }
    }
}

async fn abort(bucket: Bucket, key: ObjectKey, id: String) {
    let request = bucket.client().abort_multipart_upload().bucket(bucket.name()).key(key.as_str()).upload_id(id);
    if let Err(failure) = request.send().await.map_err(Failure::from)
        && !failure.has_code("NoSuchUpload")
    {
        let subject = bucket.subject(key.as_str());
        tracing::warn!(key = %subject, reason = failure.message(), "a multipart upload could not be aborted");
    }
}

const STALE_AFTER: Duration = Duration::from_secs(24 * 60 * 60);
