//! GetObject, HeadObject, GetObjectAttributes.

use std::ops::Range;
use std::sync::Arc;

use s3s::dto::{
    ChecksumMode, GetObjectAttributesInput, GetObjectAttributesOutput, GetObjectAttributesParts, GetObjectInput,
    GetObjectOutput, HeadObjectInput, HeadObjectOutput, ObjectAttributes, ServerSideEncryption, StorageClass,
    StreamingBlob,
};
use s3s::{S3Request, S3Response, S3Result, s3_error};

use super::checksum::{StoredChecksum, answer_checksum};
use super::condition::Conditions;
use super::faults::absent;
use super::object::StoredObject;
use super::store::Store;

/// GetObject, whole, a range, or a part.
pub(crate) fn get_object(store: &Store, request: S3Request<GetObjectInput>) -> S3Result<S3Response<GetObjectOutput>> {
    let input = &request.input;
    let object = store.object(&input.bucket, &input.key).map_err(|error| absent(error, &request.extensions))?;
    Conditions::of_target(&request.headers)?.allow_read(&object)?;
    if object.is_archived() {
        return Err(s3_error!(InvalidObjectState, "The operation is not valid for the object's storage class"));
    }
    let slice = Slice::of(&object, input.range, input.part_number)?;
    let headers = &object.headers;
    let mut output = GetObjectOutput {
        accept_ranges: Some("bytes".to_owned()),
        body: Some(StreamingBlob::from(s3s::Body::from(object.body.slice(slice.range.clone())))),
        cache_control: headers.cache_control.clone(),
        content_disposition: headers.content_disposition.clone(),
        content_encoding: headers.content_encoding.clone(),
        content_language: headers.content_language.clone(),
        content_length: i64::try_from(slice.range.len()).ok(),
        content_range: slice.content_range(&object),
        content_type: Some(headers.content_type_dto()),
        e_tag: Some(object.e_tag_dto()),
        expires: headers.expires_dto(),
        last_modified: Some(object.last_modified_dto()),
        metadata: headers.metadata_dto(),
        parts_count: slice.parts_count,
        server_side_encryption: Some(encryption()),
        storage_class: storage_class(&object),
        tag_count: tag_count(&object),
        ..GetObjectOutput::default()
    };
    answer_checksum!(typed output, slice.checksum(&object, input.checksum_mode.as_ref()));
    Ok(S3Response::new(output))
}

/// HeadObject: the same without the bytes.
pub(crate) fn head_object(
    store: &Store,
    request: S3Request<HeadObjectInput>,
) -> S3Result<S3Response<HeadObjectOutput>> {
    let input = &request.input;
    let object = store.object(&input.bucket, &input.key).map_err(|error| absent(error, &request.extensions))?;
    Conditions::of_target(&request.headers)?.allow_read(&object)?;
    let slice = Slice::of(&object, input.range, input.part_number)?;
    let headers = &object.headers;
    let mut output = HeadObjectOutput {
        accept_ranges: Some("bytes".to_owned()),
        cache_control: headers.cache_control.clone(),
        content_disposition: headers.content_disposition.clone(),
        content_encoding: headers.content_encoding.clone(),
        content_language: headers.content_language.clone(),
        content_length: i64::try_from(slice.range.len()).ok(),
        content_range: slice.content_range(&object),
        content_type: Some(headers.content_type_dto()),
        e_tag: Some(object.e_tag_dto()),
        expires: headers.expires_dto(),
        last_modified: Some(object.last_modified_dto()),
        metadata: headers.metadata_dto(),
        parts_count: slice.parts_count,
        server_side_encryption: Some(encryption()),
        storage_class: storage_class(&object),
        ..HeadObjectOutput::default()
    };
    answer_checksum!(typed output, slice.checksum(&object, input.checksum_mode.as_ref()));
    let mut response = S3Response::new(output);
    // s3s has no field for it.
    if let Some(count) = tag_count(&object) {
        response.headers.insert("x-amz-tagging-count", count.into());
    }
    Ok(response)
}

/// GetObjectAttributes: only what was asked for.
pub(crate) fn get_object_attributes(
    store: &Store,
    request: S3Request<GetObjectAttributesInput>,
) -> S3Result<S3Response<GetObjectAttributesOutput>> {
    let input = request.input;
    let object = store.object(&input.bucket, &input.key)?;
    let asked = |name: &str| input.object_attributes.iter().any(|attribute| attribute.as_str() == name);
    let mut output = GetObjectAttributesOutput {
        last_modified: Some(object.last_modified_dto()),
        ..GetObjectAttributesOutput::default()
    };
    if asked(ObjectAttributes::ETAG) {
        output.e_tag = Some(object.e_tag_dto());
    }
    if asked(ObjectAttributes::OBJECT_SIZE) {
        output.object_size = i64::try_from(object.size()).ok();
    }
    if asked(ObjectAttributes::STORAGE_CLASS) {
        output.storage_class =
            Some(storage_class(&object).unwrap_or(StorageClass::from_static(StorageClass::STANDARD)));
    }
    if asked(ObjectAttributes::CHECKSUM)
        && let Some(stored) = &object.checksum
    {
        let mut checksum = s3s::dto::Checksum::default();
        answer_checksum!(typed checksum, Some(stored));
        output.checksum = Some(checksum);
    }
    if asked(ObjectAttributes::OBJECT_PARTS) && !object.part_sizes.is_empty() {
        output.object_parts = Some(GetObjectAttributesParts {
            total_parts_count: i32::try_from(object.part_sizes.len()).ok(),
            ..GetObjectAttributesParts::default()
        });
    }
    Ok(S3Response::new(output))
}

/// S3 encrypts everything with its own keys (SSE-S3), and says so.
pub(crate) fn encryption() -> ServerSideEncryption {
    ServerSideEncryption::from_static(ServerSideEncryption::AES256)
}

/// The part of an object that was asked for.
struct Slice {
    range: Range<usize>,
    partial: bool,
    parts_count: Option<i32>,
}

impl Slice {
    fn of(object: &Arc<StoredObject>, range: Option<s3s::dto::Range>, part: Option<i32>) -> S3Result<Self> {
        if let Some(part) = part {
            return Self::of_part(object, part);
        }
        let Some(range) = range else {
            return Ok(Self { range: 0..object.body.len(), partial: false, parts_count: None });
        };
        let range = range.check(object.size())?;
        let bounds = usize::try_from(range.start).and_then(|start| Ok(start..usize::try_from(range.end)?));
        let range = bounds.map_err(|_| s3_error!(InvalidRange))?;
        Ok(Self { range, partial: true, parts_count: None })
    }

    fn of_part(object: &StoredObject, part: i32) -> S3Result<Self> {
        let bad = || s3_error!(InvalidRange, "The requested partnumber is not satisfiable");
        let before = usize::try_from(part - 1).map_err(|_| bad())?;
        if object.part_sizes.is_empty() && before == 0 {
            return Ok(Self { range: 0..object.body.len(), partial: true, parts_count: None });
        }
        let size = usize::try_from(*object.part_sizes.get(before).ok_or_else(bad)?).map_err(|_| bad())?;
        let start = usize::try_from(object.part_sizes.iter().take(before).sum::<u64>()).map_err(|_| bad())?;
        let parts_count = i32::try_from(object.part_sizes.len()).ok();
        Ok(Self { range: start..start + size, partial: true, parts_count })
    }

    fn content_range(&self, object: &StoredObject) -> Option<String> {
        (self.partial && !self.range.is_empty())
            .then(|| format!("bytes {}-{}/{}", self.range.start, self.range.end - 1, object.body.len()))
    }

    /// A checksum is told only of the whole object, and only when asked for.
    fn checksum<'a>(&self, object: &'a StoredObject, mode: Option<&ChecksumMode>) -> Option<&'a StoredChecksum> {
        let asked = mode.is_some_and(|mode| mode.as_str() == ChecksumMode::ENABLED);
        object.checksum.as_ref().filter(|_| asked && !self.partial)
    }
}

fn storage_class(object: &StoredObject) -> Option<StorageClass> {
    object.storage_class.as_deref().map(|class| StorageClass::from(class.to_owned()))
}

fn tag_count(object: &StoredObject) -> Option<i32> {
    i32::try_from(object.tags.len()).ok().filter(|count| *count > 0)
}
