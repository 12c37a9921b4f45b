//! Server-side copies in parts, for objects that CopyObject does not take (AWS: more than 5 GB).

use std::collections::BTreeMap;

use aws_sdk_s3::types::{ChecksumAlgorithm, CompletedPart};
use futures::{StreamExt, TryStreamExt};

use super::copy_source::copy_source;
use super::failure::Failure;
use super::guard::end_of_failed_copy;
use super::parts::Part;
use super::upload::{Attributes, Upload};
use super::{Bucket, CopyEnd, CopyGuard, ObjectInfo, PartSizes, ReadObjects, StoreError, patience};
use crate::path::ObjectKey;

/// Copies `source` in parts. Nothing but the bytes comes along by itself here, so headers, metadata and tags are read
/// and sent. The target's guard is judged when the upload is completed; before that nothing is visible.
pub(super) async fn copy_in_parts(
    from: &Bucket,
    to: &Bucket,
    sizes: PartSizes,
    source: &ObjectInfo,
    target: &ObjectKey,
    guard: &CopyGuard,
) -> Result<CopyEnd, StoreError> {
    let details = match from.head(&source.key).await? {
        None => return Ok(CopyEnd::MissingSource),
        Some(details) if details.info.etag != source.etag => return Ok(CopyEnd::Unsettled),
        Some(details) => details,
    };
    let checksum = comparable_checksum(&details.checksums);
    let work = async {
        let tagging = from.tagging(&source.key).await?;
        let attributes = Attributes { headers: details.headers, tagging, checksum };
        let upload = Upload::begin(to, target, source.size, attributes).await?;
        match copy_parts(&upload, from, to, sizes, source, target).await {
            Ok(parts) => upload.complete(parts, guard).await,
            Err(failure) => {
                upload.abort().await;
                Err(failure)
            }
        }
    };
    match work.await {
        Ok(Some(etag)) => Ok(CopyEnd::Copied { etag, sha256: None }),
        Ok(None) => Ok(CopyEnd::Unsettled),
        Err(failure) => end_of_failed_copy(failure, "multipart copy", from, source).await,
    }
}

/// The checksum to ask for, so that source and copy can be compared without reading them: one that the source has, and
/// that a multipart upload can have over the whole object (AWS: "Checking object integrity", multipart uploads: CRCs
/// only). For lack of one nothing is asked for, and AWS adds its own default.
fn comparable_checksum(checksums: &BTreeMap<String, String>) -> Option<ChecksumAlgorithm> {
    let choices = [ChecksumAlgorithm::Crc64Nvme, ChecksumAlgorithm::Crc32C, ChecksumAlgorithm::Crc32];
    choices.into_iter().find(|algorithm| checksums.contains_key(algorithm.as_str()))
}

async fn copy_parts(
    upload: &Upload,
    from: &Bucket,
    to: &Bucket,
    sizes: PartSizes,
    source: &ObjectInfo,
    target: &ObjectKey,
) -> Result<Vec<CompletedPart>, Failure> {
    let parts = futures::stream::iter(sizes.cut(source.size));
    parts.map(|part| copy_part(upload, from, to, part, source, target)).buffered(PARTS_AT_ONCE).try_collect().await
}

async fn copy_part(
    upload: &Upload,
    from: &Bucket,
    to: &Bucket,
    part: Part,
    source: &ObjectInfo,
    target: &ObjectKey,
) -> Result<CompletedPart, Failure> {
    let request = to.client().upload_part_copy();
    let request = request
        .copy_source(copy_source(from.name(), &source.key))
        .copy_source_if_match(source.etag.quoted())
        .copy_source_range(part.range())
        .bucket(to.name())
        .key(target.as_str())
        .upload_id(upload.id())
        .part_number(part.number);
    let output =
        request.customize().config_override(patience::for_silent_work(to.client(), part.size())).send().await?;
    let result = output.copy_part_result.filter(|result| result.e_tag().is_some_and(|etag| !etag.is_empty()));
    let result = result.ok_or_else(|| Failure::unusable_answer("the answer gives no ETag for a part"))?;
    Ok(CompletedPart::builder()
        .part_number(part.number)
        .set_e_tag(result.e_tag)
        .set_checksum_crc32(result.checksum_crc32)
        .set_checksum_crc32_c(result.checksum_crc32_c)
        .set_checksum_crc64_nvme(result.checksum_crc64_nvme)
        .build())
}

/// Parts of one object in flight; other objects are copied at the same time.
const PARTS_AT_ONCE: usize = 8;
