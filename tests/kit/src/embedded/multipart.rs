//! Multipart uploads: from CreateMultipartUpload to CompleteMultipartUpload.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::SystemTime;

use bytes::Bytes;
use s3s::crypto::{Checksum, Md5};
use s3s::dto::{
    ChecksumAlgorithm, ChecksumType, CompleteMultipartUploadInput, CompleteMultipartUploadOutput, CompletedPart,
    CopyPartResult, CreateMultipartUploadInput, CreateMultipartUploadOutput, ETag, UploadPartCopyInput,
    UploadPartCopyOutput, UploadPartInput, UploadPartOutput,
};
use s3s::{S3Error, S3Request, S3Response, S3Result, s3_error};

use super::checksum::{self, Algorithm, StoredChecksum, answer_checksum};
use super::condition::Conditions;
use super::copy::{open_source, within_copy_limit};
use super::object::{ObjectHeaders, StoredObject, hex, md5_hex, now_to_the_millisecond, text};
use super::read::encryption;
use super::store::{Bucket, Store};
use super::tagging;
use super::write::{kept_class, read_body};

/// An upload which is not complete.
#[derive(Clone, Debug)]
pub(crate) struct Upload {
    pub(crate) initiated: SystemTime,
    pub(crate) parts: BTreeMap<i32, Part>,
    headers: Arc<ObjectHeaders>,
    tags: Arc<BTreeMap<String, String>>,
    storage_class: Option<Arc<str>>,
    /// What the client asked for; `None`: S3 adds its default when the upload completes.
    algorithm: Option<Algorithm>,
    composite: bool,
}

/// An uploaded part.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) body: Bytes,
    pub(crate) e_tag: String,
    pub(crate) checksum: StoredChecksum,
    pub(crate) last_modified: SystemTime,
}

/// CreateMultipartUpload: headers, metadata and tags are given here or never.
pub(crate) fn create(
    store: &Store,
    request: S3Request<CreateMultipartUploadInput>,
) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
    let input = request.input;
    let algorithm =
        input.checksum_algorithm.as_ref().map(ChecksumAlgorithm::as_str).map(Algorithm::parse).transpose()?;
    let asked_full = input.checksum_type.as_ref().is_some_and(|kind| kind.as_str() == ChecksumType::FULL_OBJECT);
    let composite = match algorithm {
        None | Some(Algorithm::Crc64Nvme) => false,
        Some(Algorithm::Crc32 | Algorithm::Crc32c) => !asked_full,
        Some(Algorithm::Sha1 | Algorithm::Sha256) if asked_full => {
            return Err(s3_error!(InvalidRequest, "The FULL_OBJECT checksum type cannot be used with SHA."));
        }
        Some(Algorithm::Sha1 | Algorithm::Sha256) => true,
    };
    let upload = Upload {
        initiated: now_to_the_millisecond(),
        parts: BTreeMap::new(),
        headers: Arc::new(ObjectHeaders::from_request(&request.headers, input.metadata)),
        tags: Arc::new(tagging::parse_header(input.tagging.as_deref())?),
        storage_class: kept_class(input.storage_class.as_ref()),
        algorithm,
        composite,
    };
    let id = store.new_upload_id();
    store.write(&input.bucket, |bucket| bucket.uploads.insert((input.key.clone(), id.clone()), upload))?;
    Ok(S3Response::new(CreateMultipartUploadOutput {
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(id),
        checksum_algorithm: input.checksum_algorithm,
        checksum_type: algorithm.map(|_| {
            ChecksumType::from_static(if composite { ChecksumType::COMPOSITE } else { ChecksumType::FULL_OBJECT })
        }),
        server_side_encryption: Some(encryption()),
        ..CreateMultipartUploadOutput::default()
    }))
}

/// UploadPart.
pub(crate) async fn upload_part(
    store: &Store,
    request: S3Request<UploadPartInput>,
) -> S3Result<S3Response<UploadPartOutput>> {
    let input = request.input;
    let upload = find(store, &input.bucket, &input.key, &input.upload_id)?;
    let body = read_body(input.body).await?;
    let declared =
        checksum::accept(&body, &request.headers, request.trailing_headers.as_ref(), upload.part_algorithm())?;
    let part = Part::new(body, &upload);
    let mut output = UploadPartOutput {
        e_tag: Some(ETag::Strong(part.e_tag.clone())),
        server_side_encryption: Some(encryption()),
        ..UploadPartOutput::default()
    };
    answer_checksum!(output, Some(&declared));
    keep_part(store, (input.bucket, input.key, input.upload_id), input.part_number, part)?;
    Ok(S3Response::new(output))
}

/// UploadPartCopy, of the whole source or a range of it.
pub(crate) fn upload_part_copy(
    store: &Store,
    request: S3Request<UploadPartCopyInput>,
) -> S3Result<S3Response<UploadPartCopyOutput>> {
    let input = request.input;
    let upload = find(store, &input.bucket, &input.key, &input.upload_id)?;
    let source = open_source(store, &request.headers)?;
    let body = match input.copy_source_range.as_deref() {
        None => source.body.clone(),
        Some(range) => slice_of(&source.body, range)?,
    };
    within_copy_limit(store, body.len() as u64)?;
    let part = Part::new(body, &upload);
    let mut result = CopyPartResult {
        e_tag: Some(ETag::Strong(part.e_tag.clone())),
        last_modified: Some(part.last_modified.into()),
        ..CopyPartResult::default()
    };
    // S3 tells a part's checksum only if the upload was created with an algorithm.
    answer_checksum!(result, upload.algorithm.map(|_| &part.checksum));
    keep_part(store, (input.bucket, input.key, input.upload_id), input.part_number, part)?;
    Ok(S3Response::new(UploadPartCopyOutput {
        copy_part_result: Some(result),
        server_side_encryption: Some(encryption()),
        ..UploadPartCopyOutput::default()
    }))
}

/// CompleteMultipartUpload.
pub(crate) fn complete(
    store: &Store,
    request: S3Request<CompleteMultipartUploadInput>,
) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
    let input = request.input;
    let upload = find(store, &input.bucket, &input.key, &input.upload_id)?;
    let named = input.multipart_upload.and_then(|upload| upload.parts).unwrap_or_default();
    let object = upload.assemble(&named, store.least_part.load(Ordering::Relaxed))?;
    let told_size = text(&request.headers, "x-amz-mp-object-size");
    if told_size.is_some_and(|told| told != object.size().to_string()) {
        return Err(s3_error!(InvalidRequest, "The provided x-amz-mp-object-size does not match the object"));
    }
    if let Some((algorithm, value)) = checksum::declared(&request.headers, None)
        && object.checksum.as_ref().is_some_and(|stored| stored.algorithm == algorithm && stored.value != value)
    {
        return Err(checksum::bad_digest(algorithm.name()));
    }
    let conditions = Conditions::of_target(&request.headers)?;
    let mut output = CompleteMultipartUploadOutput {
        bucket: Some(input.bucket.clone()),
        key: Some(input.key.clone()),
        location: Some(format!("/{}/{}", input.bucket, input.key)),
        e_tag: Some(object.e_tag_dto()),
        server_side_encryption: Some(encryption()),
        ..CompleteMultipartUploadOutput::default()
    };
    answer_checksum!(typed output, object.checksum.as_ref());
    store
        .write(&input.bucket, |bucket| replace_upload(bucket, (input.key, input.upload_id), object, &conditions))??;
    Ok(S3Response::new(output))
}

/// The upload, or NoSuchUpload.
pub(crate) fn find(store: &Store, bucket: &str, key: &str, id: &str) -> S3Result<Upload> {
    let name = (key.to_owned(), id.to_owned());
    store.read(bucket, |bucket| bucket.uploads.get(&name).cloned())?.ok_or_else(no_such_upload)
}

/// The error for an upload that is not there, or no longer.
pub(crate) fn no_such_upload() -> S3Error {
    s3_error!(NoSuchUpload, "The specified multipart upload does not exist.")
}

impl Upload {
    fn part_algorithm(&self) -> Algorithm {
        self.algorithm.unwrap_or(Algorithm::Crc64Nvme)
    }

    fn assemble(&self, named: &[CompletedPart], least_part: u64) -> S3Result<StoredObject> {
        let parts = self.named_parts(named)?;
        let all_but_last = parts.iter().take(parts.len().saturating_sub(1));
        if all_but_last.clone().any(|part| (part.body.len() as u64) < least_part) {
            return Err(s3_error!(EntityTooSmall, "Your proposed upload is smaller than the minimum allowed size"));
        }
        let mut body = Vec::with_capacity(parts.iter().map(|part| part.body.len()).sum());
        parts.iter().for_each(|part| body.extend_from_slice(&part.body));
        let digests: Vec<u8> = parts.iter().flat_map(|part| Md5::checksum(&part.body).as_ref().to_vec()).collect();
        let checksum = if self.composite {
            let sums: Vec<StoredChecksum> = parts.iter().map(|part| part.checksum.clone()).collect();
            StoredChecksum::composite(self.part_algorithm(), &sums)
        } else {
            StoredChecksum::of(self.part_algorithm(), &body)
        };
        Ok(StoredObject {
            body: Bytes::from(body),
            e_tag: format!("{}-{}", hex(Md5::checksum(&digests).as_ref()), parts.len()).into(),
            last_modified: now_to_the_millisecond(),
            headers: Arc::clone(&self.headers),
            tags: Arc::clone(&self.tags),
            checksum: Some(checksum),
            part_sizes: parts.iter().map(|part| part.body.len() as u64).collect(),
            storage_class: self.storage_class.clone(),
        })
    }

    /// The parts that the client names, in order, each by its ETag and, for a composite checksum, its checksum.
    fn named_parts(&self, named: &[CompletedPart]) -> S3Result<Vec<&Part>> {
        let mut parts = Vec::with_capacity(named.len());
        let mut last = 0;
        for name in named {
            let number = name.part_number.unwrap_or(0);
            if number <= last {
                return Err(s3_error!(InvalidPartOrder, "The list of parts was not in ascending order."));
            }
            last = number;
            let part = self.parts.get(&number).ok_or_else(invalid_part)?;
            if name.e_tag.as_ref().map(ETag::value) != Some(&part.e_tag) {
                return Err(invalid_part());
            }
            if self.composite && self.algorithm.is_some() {
                match told_checksum(name, self.part_algorithm()) {
                    Some(value) if value == part.checksum.value => {}
                    Some(_) => return Err(invalid_part()),
                    None => return Err(missing_part_checksum(self.part_algorithm(), number)),
                }
            }
            parts.push(part);
        }
        if parts.is_empty() {
            return Err(s3_error!(MalformedXML, "An upload is completed by naming its parts"));
        }
        Ok(parts)
    }
}

impl Part {
    fn new(body: Bytes, upload: &Upload) -> Self {
        Self {
            e_tag: md5_hex(&body),
            checksum: StoredChecksum::of(upload.part_algorithm(), &body),
            last_modified: now_to_the_millisecond(),
            body,
        }
    }
}

fn keep_part(store: &Store, (bucket, key, id): (String, String, String), number: i32, part: Part) -> S3Result {
    if !(1..=10_000).contains(&number) {
        return Err(s3_error!(InvalidArgument, "Part number must be an integer between 1 and 10000, inclusive"));
    }
    store.write(&bucket, |bucket| {
        let upload = bucket.uploads.get_mut(&(key, id)).ok_or_else(no_such_upload)?;
        upload.parts.insert(number, part);
        Ok(())
    })?
}

fn replace_upload(
    bucket: &mut Bucket,
    name: (String, String),
    object: StoredObject,
    conditions: &Conditions,
) -> S3Result {
    conditions.allow_write(bucket.objects.get(&name.0).map(AsRef::as_ref))?;
    if bucket.uploads.remove(&name).is_none() {
        return Err(no_such_upload());
    }
    bucket.objects.insert(name.0, Arc::new(object));
    Ok(())
}

fn slice_of(body: &Bytes, range: &str) -> S3Result<Bytes> {
    let bad = || s3_error!(InvalidArgument, "Range specified is not valid for source object of size: {}", body.len());
    let (first, last) = range.strip_prefix("bytes=").and_then(|range| range.split_once('-')).ok_or_else(bad)?;
    let first: usize = first.parse().map_err(|_| bad())?;
    let last: usize = last.parse().map_err(|_| bad())?;
    if first > last || last >= body.len() {
        return Err(bad());
    }
    Ok(body.slice(first..=last))
}

fn told_checksum(part: &CompletedPart, algorithm: Algorithm) -> Option<&str> {
    match algorithm {
        Algorithm::Crc32 => part.checksum_crc32.as_deref(),
        Algorithm::Crc32c => part.checksum_crc32c.as_deref(),
        Algorithm::Crc64Nvme => part.checksum_crc64nvme.as_deref(),
        Algorithm::Sha1 => part.checksum_sha1.as_deref(),
        Algorithm::Sha256 => part.checksum_sha256.as_deref(),
    }
}

fn invalid_part() -> S3Error {
    s3_error!(InvalidPart, "One or more of the specified parts could not be found, or its entity tag did not match.")
}

fn missing_part_checksum(algorithm: Algorithm, number: i32) -> S3Error {
    s3_error!(
        InvalidRequest,
        "The upload was created using a {} checksum. The complete request must include the checksum for each part. \
         It was missing for part {number} in the request.",
        algorithm.name().to_lowercase()
    )
}
