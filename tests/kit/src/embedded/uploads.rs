//! Looking at multipart uploads and dropping them.

use std::ops::Bound;

use s3s::dto::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, ETag, ListMultipartUploadsInput, ListMultipartUploadsOutput,
    ListPartsInput, ListPartsOutput, MultipartUpload, Part as PartDto,
};
use s3s::{S3Request, S3Response, S3Result};

use super::checksum::answer_checksum;
use super::list::Encoding;
use super::multipart::{Part, find, no_such_upload};
use super::store::Store;

/// S3 never answers more uploads or parts at once.
const PAGE_LIMIT: i32 = 1000;

/// AbortMultipartUpload.
pub(crate) fn abort(
    store: &Store,
    request: S3Request<AbortMultipartUploadInput>,
) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
    let input = request.input;
    let removed = store.write(&input.bucket, |bucket| bucket.uploads.remove(&(input.key, input.upload_id)))?;
    removed.ok_or_else(no_such_upload)?;
    Ok(S3Response::new(AbortMultipartUploadOutput::default()))
}

/// ListMultipartUploads, by key and then by age.
pub(crate) fn list_uploads(
    store: &Store,
    request: S3Request<ListMultipartUploadsInput>,
) -> S3Result<S3Response<ListMultipartUploadsOutput>> {
    let input = request.input;
    let encode = Encoding::new(input.encoding_type.as_ref())?;
    let limit = input.max_uploads.unwrap_or(PAGE_LIMIT).clamp(0, PAGE_LIMIT);
    let prefix = input.prefix.clone().unwrap_or_default();
    let marker = (input.key_marker.clone().unwrap_or_default(), input.upload_id_marker.clone());
    let (uploads, more) = store.read(&input.bucket, |bucket| {
        let after_marker = |key: &String, id: &String| match &marker.1 {
            None => *key > marker.0,
            Some(marker_id) => (key, id) > (&marker.0, marker_id),
        };
        let start = Bound::Included((marker.0.clone(), String::new()));
        let mut all = bucket
            .uploads
            .range((start, Bound::Unbounded))
            .filter(|((key, id), _)| key.starts_with(&prefix) && (marker.0.is_empty() || after_marker(key, id)))
            .map(|((key, id), upload)| (key.clone(), id.clone(), upload.initiated));
        let page: Vec<_> = all.by_ref().take(usize::try_from(limit).unwrap_or(0)).collect();
        (page, limit > 0 && all.next().is_some())
    })?;
    let last = uploads.last().filter(|_| more).cloned();
    let shown = uploads.into_iter().map(|(key, id, initiated)| MultipartUpload {
        key: Some(encode.apply(&key)),
        upload_id: Some(id),
        initiated: Some(initiated.into()),
        ..MultipartUpload::default()
    });
    Ok(S3Response::new(ListMultipartUploadsOutput {
        bucket: Some(input.bucket),
        prefix: input.prefix.as_deref().map(|text| encode.apply(text)),
        key_marker: input.key_marker.as_deref().map(|text| encode.apply(text)),
        upload_id_marker: input.upload_id_marker,
        max_uploads: Some(limit),
        is_truncated: Some(more),
        next_key_marker: last.as_ref().map(|(key, _, _)| encode.apply(key)),
        next_upload_id_marker: last.map(|(_, id, _)| id),
        uploads: Some(shown.collect()),
        encoding_type: input.encoding_type,
        ..ListMultipartUploadsOutput::default()
    }))
}

/// ListParts.
pub(crate) fn list_parts(store: &Store, request: S3Request<ListPartsInput>) -> S3Result<S3Response<ListPartsOutput>> {
    let input = request.input;
    let upload = find(store, &input.bucket, &input.key, &input.upload_id)?;
    let limit = input.max_parts.unwrap_or(PAGE_LIMIT).clamp(0, PAGE_LIMIT);
    let marker = input.part_number_marker.unwrap_or(0);
    let mut after = upload.parts.iter().filter(|(number, _)| **number > marker);
    let page: Vec<PartDto> =
        after.by_ref().take(usize::try_from(limit).unwrap_or(0)).map(|(number, part)| shown(*number, part)).collect();
    let more = limit > 0 && after.next().is_some();
    Ok(S3Response::new(ListPartsOutput {
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(input.upload_id),
        max_parts: Some(limit),
        part_number_marker: input.part_number_marker,
        next_part_number_marker: page.last().filter(|_| more).and_then(|part| part.part_number),
        is_truncated: Some(more),
        parts: Some(page),
        ..ListPartsOutput::default()
    }))
}

fn shown(number: i32, part: &Part) -> PartDto {
    let mut dto = PartDto {
        part_number: Some(number),
        e_tag: Some(ETag::Strong(part.e_tag.clone())),
        last_modified: Some(part.last_modified.into()),
        size: i64::try_from(part.body.len()).ok(),
        ..PartDto::default()
    };
    answer_checksum!(dto, Some(&part.checksum));
    dto
}
