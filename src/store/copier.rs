//! Server-side copies: the bytes never leave S3.

use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumType, CopyObjectResult};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::copy_source::copy_source;
use super::failure::Failure;
use super::guard::end_of_failed_copy;
use super::{
    Bucket, CopyEnd, CopyGuard, CopyObjects, Hashed, ObjectInfo, PartSizes, ReadObjects, Sha256Digest, StoreError,
    multipart, patience,
};
use crate::path::{ETag, ObjectKey};

/// Copies by CopyObject, above the threshold by UploadPartCopy. One identity, that of the target, reads and writes.
#[derive(Clone, Debug)]
pub struct Copier {
    source: Bucket,
    target: Bucket,
    sizes: PartSizes,
    hashes: bool,
}

impl Copier {
    /// A copier from `source` to `target`, which asks the server for the SHA-256 of what it copies.
    #[must_use]
    pub fn new(source: Bucket, target: Bucket, sizes: PartSizes) -> Self {
        Self { source, target, sizes, hashes: true }
    }

    /// Does not ask for it where the ETag proves content: for who reads the bytes of both objects anyway.
    #[must_use]
    pub fn without_hashes(self) -> Self {
        Self { hashes: false, ..self }
    }

    async fn copy_whole(
        &self,
        source: &ObjectInfo,
        target: &ObjectKey,
        guard: &CopyGuard,
    ) -> Result<CopyEnd, StoreError> {
        let checksum = match self.checksum(source).await? {
            Checksum::Compute => Some(ChecksumAlgorithm::Sha256),
            Checksum::AsItIs => None,
            Checksum::Moot(end) => return Ok(end),
        };
        // Headers, metadata and tags come along by default: both directives are COPY unless given (AWS: "CopyObject").
        let mut request = self
            .target
            .client()
            .copy_object()
            .copy_source(copy_source(self.source.name(), &source.key))
            .copy_source_if_match(source.etag.quoted())
            .bucket(self.target.name())
            .key(target.as_str())
            .set_if_none_match(guard.if_none_match())
            .set_if_match(guard.if_match())
            .set_checksum_algorithm(checksum)
            .customize();
        if source.size > patience::ORDINARY_SIZE_MAX {
            request = request.config_override(patience::for_silent_work(self.target.client(), source.size));
        }
        match request.send().await.map_err(Failure::from) {
            Ok(output) => Ok(end_of_answer(output.copy_object_result())),
            Err(failure) => end_of_failed_copy(failure, "CopyObject", &self.source, source).await,
        }
    }

    /// Which checksum the copy shall get. A single-part ETag proves content by itself, so the SHA-256 may replace what
    /// the source has. Where it proves nothing, a stored checksum of the source is the only cheap proof, and asking for
    /// another one would lose it on the copy.
    async fn checksum(&self, source: &ObjectInfo) -> Result<Checksum, StoreError> {
        if source.etag.is_single_part() {
            return Ok(if self.hashes { Checksum::Compute } else { Checksum::AsItIs });
        }
        Ok(match self.source.head(&source.key).await? {
            None => Checksum::Moot(CopyEnd::MissingSource),
            Some(details) if details.info.etag != source.etag => Checksum::Moot(CopyEnd::Unsettled),
            Some(details) if details.checksums.is_empty() => Checksum::Compute,
            Some(_) => Checksum::AsItIs,
        })
    }
}

impl CopyObjects for Copier {
    const HASHED: Hashed = Hashed::Target;

    async fn copy(&self, source: &ObjectInfo, target: &ObjectKey, guard: &CopyGuard) -> Result<CopyEnd, StoreError> {
        if source.size > self.sizes.threshold {
            multipart::copy_in_parts(&self.source, &self.target, self.sizes, source, target, guard).await
        } else {
            self.copy_whole(source, target, guard).await
        }
    }
}

enum Checksum {
    Compute,
    AsItIs,
    Moot(CopyEnd),
}

/// A 200 may come with nothing in it, and S3 sends its head before the copy is done (AWS: "CopyObject"): without an
/// ETag nothing was said.
fn end_of_answer(result: Option<&CopyObjectResult>) -> CopyEnd {
    let etag = result.and_then(CopyObjectResult::e_tag).map(ETag::new).filter(|etag| !etag.as_str().is_empty());
    match (etag, result) {
        (Some(etag), Some(result)) => CopyEnd::Copied { etag, sha256: sha256_of(result) },
        (None, _) | (_, None) => CopyEnd::Unsettled,
    }
}

fn sha256_of(result: &CopyObjectResult) -> Option<Sha256Digest> {
    if result.checksum_type() == Some(&ChecksumType::Composite) {
        return None;
    }
    let bytes = BASE64_STANDARD.decode(result.checksum_sha256()?).ok()?;
    bytes.try_into().ok().map(Sha256Digest)
}
