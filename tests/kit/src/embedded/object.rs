//! What one stored object is: bytes, headers, tags, checksum.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use hyper::HeaderMap;
use s3s::crypto::{Checksum, Md5};
use s3s::dto::{ETag, Timestamp, TimestampFormat};

use super::checksum::StoredChecksum;

/// An object as the server holds it. Cloning it is cheap: the bytes and the headers are shared.
#[derive(Clone, Debug)]
pub struct StoredObject {
    /// The bytes.
    pub body: Bytes,
    /// The ETag without its quotes: the MD5 of the bytes, or `<md5 of the parts' md5>-<parts>`.
    pub e_tag: Arc<str>,
    /// When it was written, to the millisecond.
    pub last_modified: SystemTime,
    /// Content headers and user metadata.
    pub headers: Arc<ObjectHeaders>,
    /// Object tags.
    pub tags: Arc<BTreeMap<String, String>>,
    /// The stored checksum. `None` only for objects which a test planted as older than December 2024.
    pub checksum: Option<StoredChecksum>,
    /// The sizes of the parts, empty unless it was uploaded in parts.
    pub part_sizes: Arc<[u64]>,
    /// `None` is STANDARD.
    pub storage_class: Option<Arc<str>>,
}

/// The headers that S3 keeps with an object, as they were sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObjectHeaders {
    /// `Content-Type`; S3 answers `binary/octet-stream` where it is absent.
    pub content_type: Option<String>,
    /// `Cache-Control`.
    pub cache_control: Option<String>,
    /// `Content-Disposition`.
    pub content_disposition: Option<String>,
    /// `Content-Encoding`, without the transport's own `aws-chunked`.
    pub content_encoding: Option<String>,
    /// `Content-Language`.
    pub content_language: Option<String>,
    /// `Expires`, an HTTP date.
    pub expires: Option<String>,
    /// User metadata, names in lower case and without `x-amz-meta-`.
    pub metadata: BTreeMap<String, String>,
}

impl StoredObject {
    /// A single-part object written now.
    pub(crate) fn new(body: Bytes, headers: ObjectHeaders) -> Self {
        Self {
            e_tag: md5_hex(&body).into(),
            body,
            last_modified: now_to_the_millisecond(),
            headers: Arc::new(headers),
            tags: Arc::default(),
            checksum: None,
            part_sizes: Arc::default(),
            storage_class: None,
        }
    }

    /// The size in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.body.len() as u64
    }

    /// The ETag in quotes, as S3 answers it.
    #[must_use]
    pub fn quoted_e_tag(&self) -> String {
        format!("\"{}\"", self.e_tag)
    }

    pub(crate) fn e_tag_dto(&self) -> ETag {
        ETag::Strong(self.e_tag.to_string())
    }

    pub(crate) fn last_modified_dto(&self) -> Timestamp {
        Timestamp::from(self.last_modified)
    }

    pub(crate) fn is_archived(&self) -> bool {
        matches!(self.storage_class.as_deref(), Some("GLACIER" | "DEEP_ARCHIVE"))
    }
}

impl ObjectHeaders {
    /// Reads the headers that S3 keeps from a request; `metadata` comes decoded from s3s.
    pub(crate) fn from_request(request: &HeaderMap, metadata: Option<s3s::dto::Metadata>) -> Self {
        Self {
            content_type: text(request, "content-type"),
            cache_control: text(request, "cache-control"),
            content_disposition: text(request, "content-disposition"),
            content_encoding: text(request, "content-encoding").and_then(|value| without_aws_chunked(&value)),
            content_language: text(request, "content-language"),
            expires: text(request, "expires"),
            metadata: metadata.unwrap_or_default().into_iter().collect(),
        }
    }

    pub(crate) fn content_type_dto(&self) -> String {
        self.content_type.clone().unwrap_or_else(|| "binary/octet-stream".to_owned())
    }

    pub(crate) fn expires_dto(&self) -> Option<Timestamp> {
        self.expires.as_deref().and_then(|value| Timestamp::parse(TimestampFormat::HttpDate, value).ok())
    }

    pub(crate) fn metadata_dto(&self) -> Option<s3s::dto::Metadata> {
        if self.metadata.is_empty() {
            return None;
        }
        Some(self.metadata.clone().into_iter().collect())
    }
}

/// The MD5 in hex: the ETag of a single-part object.
pub(crate) fn md5_hex(data: &[u8]) -> String {
    hex(Md5::checksum(data).as_ref())
}

/// Lower-case hex.
pub(crate) fn hex(data: &[u8]) -> String {
    data.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The present, without what S3 does not keep.
pub(crate) fn now_to_the_millisecond() -> SystemTime {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    SystemTime::UNIX_EPOCH + (since - std::time::Duration::from_nanos(u64::from(since.subsec_nanos() % 1_000_000)))
}

/// One header of a request as text.
pub(crate) fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}

fn without_aws_chunked(value: &str) -> Option<String> {
    let kept: Vec<&str> = value.split(',').map(str::trim).filter(|coding| *coding != "aws-chunked").collect();
    if kept.is_empty() { None } else { Some(kept.join(",")) }
}
