//! CopyObject, and what UploadPartCopy shares with it: the source.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use hyper::HeaderMap;
use percent_encoding::percent_decode_str;
use s3s::dto::{CopyObjectInput, CopyObjectOutput, CopyObjectResult, MetadataDirective, TaggingDirective};
use s3s::{S3ErrorCode, S3Request, S3Response, S3Result, s3_error};

use super::checksum::{Algorithm, StoredChecksum, answer_checksum};
use super::condition::Conditions;
use super::object::{ObjectHeaders, StoredObject, md5_hex, now_to_the_millisecond, text};
use super::read::encryption;
use super::store::{Ignored, Store};
use super::tagging;
use super::write::kept_class;

/// CopyObject. The copy is a single-part object: its ETag is the MD5 of its bytes, and its checksum is FULL_OBJECT,
/// whatever the source was.
pub(crate) fn copy_object(
    store: &Store,
    request: S3Request<CopyObjectInput>,
) -> S3Result<S3Response<CopyObjectOutput>> {
    let input = request.input;
    let (source_bucket, source_key) = source_name(&request.headers)?;
    let source = open_source(store, &request.headers)?;
    within_copy_limit(store, source.size())?;
    let replace_headers = is(input.metadata_directive.as_ref().map(MetadataDirective::as_str), "REPLACE");
    let replace_tags = is(input.tagging_directive.as_ref().map(TaggingDirective::as_str), "REPLACE");
    let onto_itself = source_bucket == input.bucket && source_key == input.key;
    if onto_itself && !replace_headers && input.storage_class.is_none() {
        return Err(s3_error!(
            InvalidRequest,
            "This copy request is illegal: it copies an object to itself unchanged."
        ));
    }
    let headers = if replace_headers {
        Arc::new(ObjectHeaders::from_request(&request.headers, input.metadata))
    } else {
        Arc::clone(&source.headers)
    };
    let tags = if replace_tags {
        Arc::new(tagging::parse_header(input.tagging.as_deref())?)
    } else {
        Arc::clone(&source.tags)
    };
    let asked = input.checksum_algorithm.as_ref().map(|algorithm| Algorithm::parse(algorithm.as_str())).transpose()?;
    let copy = StoredObject {
        body: source.body.clone(),
        e_tag: if source.part_sizes.is_empty() { Arc::clone(&source.e_tag) } else { md5_hex(&source.body).into() },
        last_modified: now_to_the_millisecond(),
        headers,
        tags,
        checksum: Some(checksum_of_copy(&source, asked)),
        part_sizes: Arc::default(),
        storage_class: kept_class(input.storage_class.as_ref()),
    };
    let told = told_checksum(store, &copy, asked);
    let mut result = CopyObjectResult {
        e_tag: Some(copy.e_tag_dto()),
        last_modified: Some(copy.last_modified_dto()),
        ..CopyObjectResult::default()
    };
    answer_checksum!(typed result, told.as_ref());
    let conditions = store.heeded(Ignored::Target, Conditions::of_target(&request.headers)?);
    store.put(&input.bucket, &input.key, copy, &conditions)?;
    Ok(S3Response::new(CopyObjectOutput {
        copy_object_result: Some(result),
        server_side_encryption: Some(encryption()),
        ..CopyObjectOutput::default()
    }))
}

/// The source of a copy, if it may be copied: conditions hold, not archived, not above the limit of one request.
pub(crate) fn open_source(store: &Store, headers: &HeaderMap) -> S3Result<Arc<StoredObject>> {
    let (bucket, key) = source_name(headers)?;
    let source = store.object(&bucket, &key)?;
    store.heeded(Ignored::CopySource, Conditions::of_source(headers)?).allow_copy_from(&source)?;
    if source.is_archived() {
        let code = S3ErrorCode::Custom("ObjectNotInActiveTierError".into());
        let mut error =
            s3s::S3Error::with_message(code, "The source object of the COPY action is not in the active tier.");
        error.set_status_code(hyper::StatusCode::FORBIDDEN);
        return Err(error);
    }
    Ok(source)
}

/// Refuses what one request may not copy.
pub(crate) fn within_copy_limit(store: &Store, size: u64) -> S3Result {
    let limit = store.copy_limit.load(Ordering::Relaxed);
    if size > limit {
        return Err(s3_error!(
            InvalidRequest,
            "The specified copy source is larger than the maximum allowable size for a copy source: {limit}"
        ));
    }
    Ok(())
}

/// `x-amz-copy-source`, decoded as S3 does it: percent escapes, and `+` is a space.
pub(crate) fn source_name(headers: &HeaderMap) -> S3Result<(String, String)> {
    let bad = || s3_error!(InvalidArgument, "Invalid copy source object key");
    let raw = text(headers, "x-amz-copy-source").ok_or_else(bad)?;
    let path = raw.split_once("?versionId=").map_or(raw.as_str(), |(path, _)| path);
    let spaced = path.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8().map_err(|_| bad())?;
    let (bucket, key) = decoded.strip_prefix('/').unwrap_or(&decoded).split_once('/').ok_or_else(bad)?;
    Ok((bucket.to_owned(), key.to_owned()))
}

/// The algorithm asked for, else the source's, else what S3 adds by itself. A value over the same bytes is carried.
fn checksum_of_copy(source: &StoredObject, asked: Option<Algorithm>) -> StoredChecksum {
    let stored = source.checksum.as_ref();
    let algorithm = asked.or(stored.map(|checksum| checksum.algorithm)).unwrap_or(Algorithm::Crc64Nvme);
    match stored {
        Some(checksum) if checksum.algorithm == algorithm && !checksum.composite => checksum.clone(),
        Some(_) | None => StoredChecksum::of(algorithm, &source.body),
    }
}

/// What the answer says of the copy's checksum.
fn told_checksum(store: &Store, copy: &StoredObject, asked: Option<Algorithm>) -> Option<StoredChecksum> {
    match asked {
        Some(_) if store.ignores(Ignored::CopyChecksum) => None,
        Some(algorithm) if store.ignores(Ignored::CopyChecksumContent) => Some(StoredChecksum::of(algorithm, &[])),
        Some(_) | None => copy.checksum.clone(),
    }
}

fn is(value: Option<&str>, expected: &str) -> bool {
    value == Some(expected)
}
