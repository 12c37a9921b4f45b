//! PutObject, DeleteObject, DeleteObjects.

use std::sync::Arc;

use bytes::Bytes;
use futures::StreamExt;
use s3s::dto::{
    DeleteObjectInput, DeleteObjectOutput, DeleteObjectsInput, DeleteObjectsOutput, DeletedObject, ETag, Error,
    PutObjectInput, PutObjectOutput, StorageClass, StreamingBlob,
};
use s3s::{S3Error, S3Request, S3Response, S3Result, s3_error};

use super::checksum::{self, Algorithm, answer_checksum};
use super::condition::Conditions;
use super::object::{ObjectHeaders, StoredObject};
use super::read::encryption;
use super::store::{Ignored, Store};
use super::tagging;

/// S3 takes at most so many keys in one DeleteObjects.
const DELETE_LIMIT: usize = 1000;

/// PutObject.
pub(crate) async fn put_object(
    store: &Store,
    request: S3Request<PutObjectInput>,
) -> S3Result<S3Response<PutObjectOutput>> {
    let input = request.input;
    let conditions = store.heeded(Ignored::Target, Conditions::of_target(&request.headers)?);
    let body = read_body(input.body).await?;
    let trailers = request.trailing_headers.as_ref();
    let checksum = checksum::accept(&body, &request.headers, trailers, Algorithm::Crc64Nvme)?;
    let mut object = StoredObject::new(body, ObjectHeaders::from_request(&request.headers, input.metadata));
    object.tags = Arc::new(tagging::parse_header(input.tagging.as_deref())?);
    object.storage_class = kept_class(input.storage_class.as_ref());
    object.checksum = Some(checksum.clone());
    let mut output = PutObjectOutput {
        e_tag: Some(object.e_tag_dto()),
        server_side_encryption: Some(encryption()),
        ..PutObjectOutput::default()
    };
    answer_checksum!(typed output, Some(&checksum));
    store.put(&input.bucket, &input.key, object, &conditions)?;
    Ok(S3Response::new(output))
}

/// DeleteObject. Without a condition an absent key is deleted already.
pub(crate) fn delete_object(
    store: &Store,
    request: S3Request<DeleteObjectInput>,
) -> S3Result<S3Response<DeleteObjectOutput>> {
    let conditions = store.heeded(Ignored::Delete, Conditions::of_target(&request.headers)?);
    store.remove(&request.input.bucket, &request.input.key, &conditions)?;
    Ok(S3Response::new(DeleteObjectOutput::default()))
}

/// DeleteObjects: 200 with a verdict for every key.
pub(crate) fn delete_objects(
    store: &Store,
    request: S3Request<DeleteObjectsInput>,
) -> S3Result<S3Response<DeleteObjectsOutput>> {
    let input = request.input;
    let quiet = input.delete.quiet.unwrap_or(false);
    if input.delete.objects.is_empty() || input.delete.objects.len() > DELETE_LIMIT {
        return Err(s3_error!(MalformedXML, "A request deletes 1 to {DELETE_LIMIT} keys"));
    }
    store.read(&input.bucket, |_| ())?;
    let mut deleted = Vec::new();
    let mut errors = Vec::new();
    for object in input.delete.objects {
        let conditions = Conditions::of_e_tag(object.e_tag.map(unquoted));
        match store.remove(&input.bucket, &object.key, &store.heeded(Ignored::DeleteBatch, conditions)) {
            Ok(()) => deleted.push(DeletedObject { key: Some(object.key), ..DeletedObject::default() }),
            Err(error) => errors.push(verdict(object.key, &error)),
        }
    }
    let output = DeleteObjectsOutput {
        deleted: (!quiet).then_some(deleted),
        errors: (!errors.is_empty()).then_some(errors),
        request_charged: None,
    };
    Ok(S3Response::new(output))
}

/// Collects a body into memory of exactly its size: the chunks are windows on the connection's read buffers, which
/// would otherwise stay allocated as long as the object.
pub(crate) async fn read_body(body: Option<StreamingBlob>) -> S3Result<Bytes> {
    let Some(mut body) = body else { return Ok(Bytes::new()) };
    let mut bytes = Vec::new();
    while let Some(chunk) = body.next().await {
        bytes.extend_from_slice(
            &chunk.map_err(|source| S3Error::with_source(s3s::S3ErrorCode::IncompleteBody, source))?,
        );
    }
    bytes.shrink_to_fit();
    Ok(Bytes::from(bytes))
}

/// The storage class to keep: STANDARD is what an object has by itself.
pub(crate) fn kept_class(asked: Option<&StorageClass>) -> Option<Arc<str>> {
    asked.map(StorageClass::as_str).filter(|class| *class != StorageClass::STANDARD).map(Arc::from)
}

fn verdict(key: String, error: &S3Error) -> Error {
    Error {
        code: Some(error.code().as_str().to_owned()),
        key: Some(key),
        message: error.message().map(str::to_owned),
        version_id: None,
    }
}

// Escaped quotes may arrive as part of the value.
fn unquoted(e_tag: ETag) -> ETag {
    ETag::Strong(e_tag.value().trim_matches('"').to_owned())
}
