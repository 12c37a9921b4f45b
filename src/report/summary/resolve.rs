//! What `resolve` settled.

use std::time::Duration;

use serde::Serialize;

use super::{Requests, seconds};
use crate::store::ObjectInfo;

/// What `resolve` settled, and between what.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(tag = "command", rename = "resolve")]
pub struct ResolveSummary {
    /// The run's number in the ledger.
    pub run: u64,
    /// `source` or `target`.
    pub kept: String,
    /// The legacy object as it was.
    pub source: ResolvedObject,
    /// The production object as it was.
    pub target: ResolvedObject,
    /// Where in the production bucket the bytes that were replaced are.
    pub saved_as: Option<String>,
    /// The S3 requests made.
    pub requests: Requests,
    /// How long it took.
    #[serde(rename = "seconds", serialize_with = "seconds")]
    pub elapsed: Duration,
}

/// One of the two objects.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ResolvedObject {
    /// Its key.
    pub key: String,
    /// Its size in bytes.
    pub size: u64,
    /// Its ETag.
    pub etag: String,
    /// When it was written, in milliseconds since 1970 (UTC).
    pub modified_ms: i64,
}

impl ResolvedObject {
    /// As a bucket shows it.
    #[must_use]
    pub fn of(object: &ObjectInfo) -> Self {
        Self {
            key: object.key.to_string(),
            size: object.size,
            etag: object.etag.to_string(),
            modified_ms: object.modified_ms,
        }
    }
}
