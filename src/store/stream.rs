//! Copies through this machine, for two providers or two identities that no server-side copy can join.

use std::future::Future;

use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::types::CompletedPart;
use sha2::{Digest, Sha256};

use super::attributes::{SendHeaders, headers_of_get};
use super::body::hashing;
use super::failure::Failure;
use super::guard::end_of_failed_copy;
use super::parts::Part;
use super::upload::{Attributes, Upload};
use super::{
    Bucket, CopyEnd, CopyGuard, CopyObjects, Hashed, ObjectInfo, PartSizes, ReadObjects, Sha256Digest, StoreError,
    patience,
};
use crate::path::{ETag, ObjectKey};

/// Copies by GET and PUT, each with the identity of its own bucket. Bytes pass through; no object is held in memory.
#[derive(Clone, Debug)]
pub struct Streamer {
    source: Bucket,
    target: Bucket,
    sizes: PartSizes,
}

/// What came of moving bytes while the source had its ETag: `None` if it has another one by now, or is gone.
type Moved<T> = Result<Option<T>, Failure>;

impl Streamer {
    /// A streamer from `source` to `target`.
    #[must_use]
    pub fn new(source: Bucket, target: Bucket, sizes: PartSizes) -> Self {
        Self { source, target, sizes }
    }

    async fn put_whole(&self, source: &ObjectInfo, target: &ObjectKey, guard: &CopyGuard) -> Moved<CopyEnd> {
        let Some(output) = self.source.open(&source.key, &source.etag, None).await? else { return Ok(None) };
        let tagging = self.tagging(source, &output).await?;
        let headers = headers_of_get(&output);
        let (body, passed) = hashing(output.body, source.size, Sha256::new());
        let request = self.target.client().put_object().bucket(self.target.name()).key(target.as_str()).body(body);
        let request = request
            .set_content_length(i64::try_from(source.size).ok())
            .set_if_none_match(guard.if_none_match())
            .set_if_match(guard.if_match())
            .set_tagging(tagging)
            .customize()
            .interceptor(SendHeaders(headers))
            .config_override(patience::for_transfer(self.target.client(), source.size));
        let output = request.send().await?;
        let etag = output.e_tag().map(ETag::new).filter(|etag| !etag.as_str().is_empty());
        Ok(Some(end(etag, passed.hasher())))
    }

    async fn put_in_parts(&self, source: &ObjectInfo, target: &ObjectKey, guard: &CopyGuard) -> Moved<CopyEnd> {
        let Some(head) = self.source.open(&source.key, &source.etag, Some("bytes=0-0".to_owned())).await? else {
            return Ok(None);
        };
        let tagging = self.tagging(source, &head).await?;
        let attributes = Attributes { headers: headers_of_get(&head), tagging, checksum: None };
        let upload = Upload::begin(&self.target, target, source.size, attributes).await?;
        match self.put_parts(&upload, source, target).await {
            Ok(Some((parts, hasher))) => Ok(Some(end(upload.complete(parts, guard).await?, hasher))),
            Ok(None) => {
                upload.abort().await;
                Ok(None)
            }
            Err(failure) => {
                upload.abort().await;
                Err(failure)
            }
        }
    }

    /// The tags, asked for only where the answer to a GET counts some: most objects have none.
    async fn tagging(&self, source: &ObjectInfo, output: &GetObjectOutput) -> Result<Option<String>, Failure> {
        match output.tag_count() {
            Some(1..) => self.source.tagging(&source.key).await,
            Some(_) | None => Ok(None),
        }
    }

    /// One part after the other, as the hash over the whole object needs their order; other objects move meanwhile.
    async fn put_parts(
        &self,
        upload: &Upload,
        source: &ObjectInfo,
        target: &ObjectKey,
    ) -> Moved<(Vec<CompletedPart>, Sha256)> {
        let mut hasher = Sha256::new();
        let mut parts = Vec::new();
        for part in self.sizes.cut(source.size) {
            let moved = repeated(|| self.put_part(upload, part, source, target, hasher.clone())).await?;
            let Some((completed, passed)) = moved else { return Ok(None) };
            parts.push(completed);
            hasher = passed;
        }
        Ok(Some((parts, hasher)))
    }

    async fn put_part(
        &self,
        upload: &Upload,
        part: Part,
        source: &ObjectInfo,
        target: &ObjectKey,
        hasher: Sha256,
    ) -> Moved<(CompletedPart, Sha256)> {
        let Some(output) = self.source.open(&source.key, &source.etag, Some(part.range())).await? else {
            return Ok(None);
        };
        let (body, passed) = hashing(output.body, part.size(), hasher);
        let request = self.target.client().upload_part().bucket(self.target.name()).key(target.as_str()).body(body);
        let request = request
            .upload_id(upload.id())
            .part_number(part.number)
            .set_content_length(i64::try_from(part.size()).ok())
            .customize()
            .config_override(patience::for_transfer(self.target.client(), part.size()));
        let etag = request.send().await?.e_tag.filter(|etag| !etag.is_empty());
        let etag = etag.ok_or_else(|| Failure::unusable_answer("the answer gives no ETag for a part"))?;
        Ok(Some((CompletedPart::builder().part_number(part.number).e_tag(etag).build(), passed.hasher())))
    }
}

impl CopyObjects for Streamer {
    const HASHED: Hashed = Hashed::Source;

    async fn copy(&self, source: &ObjectInfo, target: &ObjectKey, guard: &CopyGuard) -> Result<CopyEnd, StoreError> {
        let moved = if source.size > self.sizes.threshold {
            self.put_in_parts(source, target, guard).await
        } else {
            repeated(|| self.put_whole(source, target, guard)).await
        };
        match moved {
            Ok(Some(end)) => Ok(end),
            Ok(None) => Ok(match self.source.head(&source.key).await? {
                None => CopyEnd::MissingSource,
                Some(_) => CopyEnd::Unsettled,
            }),
            Err(failure) => end_of_failed_copy(failure, "streamed copy", &self.source, source).await,
        }
    }
}

/// The SDK cannot repeat a request whose body has flown by, so a broken transfer starts again from its GET. If an
/// attempt did arrive although its answer was lost, the guard makes the next one end as unsettled.
async fn repeated<T, F: Future<Output = Moved<T>>>(mut transfer: impl FnMut() -> F) -> Moved<T> {
    let mut attempt = 1;
    loop {
        match transfer().await {
            Err(failure) if failure.is_transient() && attempt < patience::ATTEMPTS_MAX => {
                patience::pause_before(attempt).await;
            }
            moved => return moved,
        }
        attempt += 1;
    }
}

fn end(etag: Option<ETag>, hasher: Sha256) -> CopyEnd {
    match etag {
        Some(etag) => CopyEnd::Copied { etag, sha256: Some(Sha256Digest(hasher.finalize().into())) },
        None => CopyEnd::Unsettled,
    }
}
