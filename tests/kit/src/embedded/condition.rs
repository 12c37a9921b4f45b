//! Conditional headers: what must hold of an object before a request may act.

use hyper::HeaderMap;
use s3s::dto::{ETagCondition, Timestamp, TimestampFormat};
use s3s::{S3Error, S3Result, s3_error};
use time::OffsetDateTime;

use super::object::StoredObject;

/// The conditions of one request on one object.
#[derive(Debug, Default)]
pub(crate) struct Conditions {
    if_match: Option<ETagCondition>,
    if_none_match: Option<ETagCondition>,
    if_modified_since: Option<Timestamp>,
    if_unmodified_since: Option<Timestamp>,
}

impl Conditions {
    /// `If-Match` and its kin. Read from the raw headers, because s3s knows none for the target of CopyObject.
    pub(crate) fn of_target(headers: &HeaderMap) -> S3Result<Self> {
        Self::with_prefix(headers, "")
    }

    /// `x-amz-copy-source-if-match` and its kin.
    pub(crate) fn of_source(headers: &HeaderMap) -> S3Result<Self> {
        Self::with_prefix(headers, "x-amz-copy-source-")
    }

    /// Only an ETag, as DeleteObjects gives one per key.
    pub(crate) fn of_e_tag(e_tag: Option<s3s::dto::ETag>) -> Self {
        Self { if_match: e_tag.map(ETagCondition::ETag), ..Self::default() }
    }

    /// For requests that write or delete: `current` is what stands there now.
    pub(crate) fn allow_write(&self, current: Option<&StoredObject>) -> S3Result {
        match (&self.if_match, current) {
            (None, _) => {}
            (Some(_), None) => return Err(s3_error!(NoSuchKey, "The specified key does not exist.")),
            (Some(condition), Some(object)) if names(condition, object) => {}
            (Some(_), Some(_)) => return Err(failed("If-Match")),
        }
        match (&self.if_none_match, current) {
            (None, _) | (Some(ETagCondition::Any), None) => Ok(()),
            (Some(ETagCondition::Any), Some(_)) => Err(failed("If-None-Match")),
            (Some(ETagCondition::ETag(_)), _) => {
                Err(s3_error!(NotImplemented, "A write takes no other If-None-Match than *"))
            }
        }
    }

    /// For the source of a copy: every failed condition is 412.
    pub(crate) fn allow_copy_from(&self, source: &StoredObject) -> S3Result {
        self.allow(source, || failed("x-amz-copy-source-If-None-Match"))
    }

    /// For GET and HEAD: a failed `If-None-Match` is 304.
    pub(crate) fn allow_read(&self, object: &StoredObject) -> S3Result {
        self.allow(object, || s3_error!(NotModified, "Not Modified"))
    }

    fn allow(&self, object: &StoredObject, not_modified: impl Fn() -> S3Error) -> S3Result {
        let modified = object.last_modified_dto();
        match &self.if_match {
            Some(condition) if !names(condition, object) => return Err(failed("If-Match")),
            // A matching If-Match beats If-Unmodified-Since.
            Some(_) => {}
            None => {
                if self
                    .if_unmodified_since
                    .as_ref()
                    .is_some_and(|since| whole_seconds(&modified) > whole_seconds(since))
                {
                    return Err(failed("If-Unmodified-Since"));
                }
            }
        }
        match &self.if_none_match {
            Some(condition) if names(condition, object) => return Err(not_modified()),
            Some(_) => {}
            None => {
                if self.if_modified_since.as_ref().is_some_and(|since| whole_seconds(&modified) <= whole_seconds(since))
                {
                    return Err(not_modified());
                }
            }
        }
        Ok(())
    }

    fn with_prefix(headers: &HeaderMap, prefix: &str) -> S3Result<Self> {
        let e_tag = |name: &str| -> S3Result<Option<ETagCondition>> {
            let Some(value) = headers.get(format!("{prefix}{name}")) else { return Ok(None) };
            ETagCondition::parse_http_header(value.as_bytes())
                .map(Some)
                .map_err(|_| s3_error!(InvalidArgument, "{prefix}{name} is not an ETag"))
        };
        let date = |name: &str| {
            let value = headers.get(format!("{prefix}{name}"))?.to_str().ok()?;
            Timestamp::parse(TimestampFormat::HttpDate, value).ok()
        };
        Ok(Self {
            if_match: e_tag("if-match")?,
            if_none_match: e_tag("if-none-match")?,
            if_modified_since: date("if-modified-since"),
            if_unmodified_since: date("if-unmodified-since"),
        })
    }
}

fn names(condition: &ETagCondition, object: &StoredObject) -> bool {
    match condition {
        ETagCondition::Any => true,
        ETagCondition::ETag(e_tag) => e_tag.value() == &*object.e_tag,
    }
}

fn failed(condition: &str) -> S3Error {
    s3_error!(PreconditionFailed, "At least one of the pre-conditions you specified did not hold: {condition}")
}

// HTTP dates have whole seconds, objects have milliseconds.
fn whole_seconds(timestamp: &Timestamp) -> i64 {
    OffsetDateTime::from(timestamp.clone()).unix_timestamp()
}
