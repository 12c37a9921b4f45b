//! Object tags.

use std::collections::BTreeMap;
use std::sync::Arc;

use percent_encoding::percent_decode_str;
use s3s::dto::{
    DeleteObjectTaggingInput, DeleteObjectTaggingOutput, GetObjectTaggingInput, GetObjectTaggingOutput,
    PutObjectTaggingInput, PutObjectTaggingOutput, Tag,
};
use s3s::{S3Request, S3Response, S3Result, s3_error};

use super::store::Store;

/// S3 keeps at most so many tags on an object.
const TAG_LIMIT: usize = 10;

/// GetObjectTagging.
pub(crate) fn get_object_tagging(
    store: &Store,
    request: S3Request<GetObjectTaggingInput>,
) -> S3Result<S3Response<GetObjectTaggingOutput>> {
    let object = store.object(&request.input.bucket, &request.input.key)?;
    let tag = |(key, value): (&String, &String)| Tag { key: Some(key.clone()), value: Some(value.clone()) };
    let tag_set = object.tags.iter().map(tag).collect();
    Ok(S3Response::new(GetObjectTaggingOutput { tag_set, version_id: None }))
}

/// PutObjectTagging: replaces the whole set.
pub(crate) fn put_object_tagging(
    store: &Store,
    request: S3Request<PutObjectTaggingInput>,
) -> S3Result<S3Response<PutObjectTaggingOutput>> {
    let input = request.input;
    let pair = |tag: Tag| (tag.key.unwrap_or_default(), tag.value.unwrap_or_default());
    let tags = limited(input.tagging.tag_set.into_iter().map(pair).collect())?;
    store.amend(&input.bucket, &input.key, |object| object.tags = Arc::new(tags))?;
    Ok(S3Response::new(PutObjectTaggingOutput::default()))
}

/// DeleteObjectTagging.
pub(crate) fn delete_object_tagging(
    store: &Store,
    request: S3Request<DeleteObjectTaggingInput>,
) -> S3Result<S3Response<DeleteObjectTaggingOutput>> {
    let input = request.input;
    store.amend(&input.bucket, &input.key, |object| object.tags = Arc::default())?;
    Ok(S3Response::new(DeleteObjectTaggingOutput::default()))
}

/// The header `x-amz-tagging`: `a=1&b=2`, encoded as a query string.
pub(crate) fn parse_header(header: Option<&str>) -> S3Result<BTreeMap<String, String>> {
    let mut tags = BTreeMap::new();
    for pair in header.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        tags.insert(decode(key)?, decode(value)?);
    }
    limited(tags)
}

fn limited(tags: BTreeMap<String, String>) -> S3Result<BTreeMap<String, String>> {
    if tags.len() > TAG_LIMIT {
        return Err(s3_error!(InvalidTag, "Object tags cannot be greater than {TAG_LIMIT}"));
    }
    Ok(tags)
}

fn decode(text: &str) -> S3Result<String> {
    let spaced = text.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8();
    decoded.map(String::from).map_err(|_| s3_error!(InvalidTag, "The tags are not UTF-8"))
}
