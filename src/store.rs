//! The S3 seam: three capabilities, split by danger, and the client that has them.
//!
//! Only this room names `aws_sdk_s3`. What each operation guarantees stands at its trait; what a server did is returned
//! as data ([`CopyEnd`], [`DeleteEnd`]), only "this request could not be judged" is a [`StoreError`].

mod attributes;
mod body;
mod bucket;
mod bucket_policy;
mod checksum_canary;
mod clock;
mod connect;
mod copier;
mod copy_canary;
mod copy_source;
mod delete;
mod delete_canary;
mod deleter;
mod failure;
mod guard;
mod hashing;
mod identity;
mod inventory;
mod list_canary;
mod listing;
mod multipart;
mod parts;
mod patience;
mod probe;
mod rate;
mod reading;
mod requests;
mod room;
mod scratch;
mod settings;
mod small;
mod stream;
#[cfg(test)]
mod tests;
mod twins;
mod upload;

use std::collections::BTreeMap;
use std::future::Future;
use std::time::SystemTime;

pub use bucket::{Bucket, PAGE_KEYS};
pub use checksum_canary::{CopyChecksum, prove_checksum};
pub use connect::{Connected, Reach, Stores, connect, connect_each};
pub use copier::Copier;
pub use copy_canary::{CopyConditions, Tried, prove_copies};
pub use delete::DeleteMode;
pub use deleter::{DeleteProof, Deleter, Unenforced};
pub use identity::{Caller, Identity};
pub use inventory::{Inventories, Inventory, Moment};
pub use list_canary::{ListTrial, prove_listing};
pub use parts::PartSizes;
pub use probe::{is_same_bucket, probe_write};
pub use requests::{RequestCounters, Requests};
pub use scratch::{PUT_ASIDE, SCRATCH_OF_DOCTOR, SCRATCH_OF_RUNS, Scratch, sweep_workers};
pub use settings::{Encryption, LifecycleHit, Ownership, Versioning};
pub use small::Small;
pub use stream::Streamer;

use crate::path::{ETag, ObjectKey};

/// What a listing tells of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectInfo {
    /// The key, byte for byte.
    pub key: ObjectKey,
    /// The size in bytes.
    pub size: u64,
    /// The ETag as listed.
    pub etag: ETag,
    /// The time of the last write in milliseconds since the Unix epoch; S3 itself counts in seconds.
    pub modified_ms: i64,
}

/// What a HEAD tells of an object beyond its listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectDetails {
    /// Key, size, ETag, time.
    pub info: ObjectInfo,
    /// Stored checksums over the whole object by algorithm name (`SHA256`, `CRC64NVME`, …), base64 as S3 gives them.
    /// Composite checksums of multipart uploads are left out, as they depend on the part boundaries.
    pub checksums: BTreeMap<String, String>,
    /// Content headers (`content-type`, `cache-control`, …) and user metadata (`x-amz-meta-…`), in lower case.
    pub headers: BTreeMap<String, String>,
    /// How many tags it has; 0 also where the identity may not read them.
    pub tag_count: u32,
    /// The version in a versioned bucket.
    pub version: Option<String>,
}

/// One page of a listing.
#[derive(Clone, Debug, Default)]
pub struct ListPage {
    /// The objects in the order of the answer. Servers differ there, so nobody may rely on it without checking.
    pub objects: Vec<ObjectInfo>,
    /// Where the next page begins; `None` after the last one.
    pub next: Option<PageToken>,
}

/// An opaque continuation token.
#[derive(Clone, Debug)]
pub struct PageToken(pub(crate) String);

/// Reading: never changes a bucket.
pub trait ReadObjects: Send + Sync {
    /// HEAD. `None` if the object does not exist. Where the identity may not list the bucket S3 answers 403 for absent
    /// objects; that is an error here ([`StoreErrorKind::Forbidden`]), as absence would be a guess.
    fn head(&self, key: &ObjectKey) -> impl Future<Output = Result<Option<ObjectDetails>, StoreError>> + Send;

    /// One page of at most 1,000 or so keys that begin with `prefix`: after `after` on the first page, from `token` on
    /// the following ones.
    ///
    /// An answer that says it is truncated but gives no token is an error, as the rest would be lost silently.
    fn list(
        &self,
        prefix: &str,
        after: Option<&ObjectKey>,
        token: Option<PageToken>,
    ) -> impl Future<Output = Result<ListPage, StoreError>> + Send;

    /// SHA-256 over the bytes, read while the object still has this ETag (GET `If-Match`). `None` if it is gone or
    /// changed.
    fn sha256(&self, object: &ObjectInfo) -> impl Future<Output = Result<Option<Sha256Digest>, StoreError>> + Send;

    /// Compares the bytes of an object of this bucket with those of one of the `other`, both read side by side while they
    /// still have these ETags (GET `If-Match`).
    fn compare(
        &self,
        ours: &ObjectInfo,
        other: &Self,
        theirs: &ObjectInfo,
    ) -> impl Future<Output = Result<SideBySide, StoreError>> + Send;
}

/// What reading two objects side by side showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SideBySide {
    /// The same bytes, with this SHA-256.
    Same(Sha256Digest),
    /// Other bytes, at this offset for the first time.
    DifferAt(u64),
    /// One of the two is gone or changed.
    Moved,
}

/// A SHA-256 over all bytes of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sha256Digest(pub [u8; 32]);

/// Copying from the legacy to the production bucket: can create target objects, and replace the migration's own copies.
pub trait CopyObjects: Send + Sync {
    /// Whose bytes the SHA-256 of [`CopyEnd::Copied`] is over.
    const HASHED: Hashed;

    /// Copies one object with its headers, user metadata and tags, if the source still has the ETag of `source`, and
    /// if the target is as `guard` demands. Above the multipart threshold in parts. Safe to repeat.
    fn copy(
        &self,
        source: &ObjectInfo,
        target: &ObjectKey,
        guard: &CopyGuard,
    ) -> impl Future<Output = Result<CopyEnd, StoreError>> + Send;
}

/// Whose bytes a SHA-256 is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hashed {
    /// The source's, as this program read them.
    Source,
    /// The target's, as the endpoint stored them.
    Target,
}

/// What must hold of the target for a copy to happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CopyGuard {
    /// No object is there (`If-None-Match: *`).
    Absent,
    /// This migration's own earlier copy is there (`If-Match`).
    OwnCopy(ETag),
}

/// How a copy ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CopyEnd {
    /// Done. What the answer said of the new object; the target bucket itself is still to be asked.
    Copied {
        /// The new object's ETag.
        etag: ETag,
        /// A SHA-256 over the copied bytes: of a server-side copy what the endpoint says of the new object, if it does;
        /// of a streamed copy what this program computed over the bytes that it read from the source and sent.
        sha256: Option<Sha256Digest>,
    },
    /// A condition failed (412), a concurrent write was in the way (409), or the answer was lost: look at both sides.
    Unsettled,
    /// The source does not exist.
    MissingSource,
}

/// Deleting sources: in scope only in finalize.
pub trait DeleteSources: Send + Sync {
    /// Deletes each object on the condition that it still has its ETag; one end per item, in order. At most 1,000
    /// items, with distinct keys. What is wrong with single objects is an end; an error says nothing of any of them.
    ///
    /// The requests are signed as of `permitted`, the moment at which the right to delete was proved last. S3 refuses a
    /// request whose signature is a quarter of an hour old (AWS: "RequestTimeTooSkewed"), so that a process which was
    /// frozen in between deletes nothing when it wakes, whatever happened meanwhile.
    fn delete(
        &self,
        objects: &[DeleteItem],
        permitted: SystemTime,
    ) -> impl Future<Output = Result<Vec<DeleteEnd>, StoreError>> + Send;
}

/// An object to delete while it has this ETag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeleteItem {
    /// The key in the legacy bucket.
    pub key: ObjectKey,
    /// The ETag that was proved to have a checked twin.
    pub etag: ETag,
}

/// How one delete ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeleteEnd {
    /// Gone (or was already).
    Deleted,
    /// It has another ETag by now: kept.
    Changed,
    /// Not deleted, for this reason.
    Failed(String),
}

/// A request that could not be carried out or judged, after all retries.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{operation} of {subject} failed: {message}")]
pub struct StoreError {
    /// What a caller can branch on.
    pub kind: StoreErrorKind,
    /// The S3 operation.
    pub operation: &'static str,
    /// `s3://bucket/key` that it was about.
    pub subject: String,
    /// What the service or the connection said, with the request id where there is one; never a credential.
    pub message: String,
}

/// The kinds of failure that are treated differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreErrorKind {
    /// 403.
    Forbidden,
    /// The bucket does not exist.
    NoSuchBucket,
    /// No credentials were found, or they are refused or expired.
    Credentials,
    /// The object is archived and must be restored first.
    Archived,
    /// 503 and its kin, after all retries.
    Throttled,
    /// No answer: connection, time-out.
    Unreachable,
    /// Anything else.
    Other,
}

impl StoreErrorKind {
    /// Whether another identity might fare better, or another server.
    #[must_use]
    pub fn is_of_identity(self) -> bool {
        match self {
            Self::Forbidden | Self::Credentials | Self::NoSuchBucket | Self::Unreachable | Self::Other => true,
            Self::Archived | Self::Throttled => false,
        }
    }

    /// Whether the failure may be that of one object, so that others can go on.
    #[must_use]
    pub fn is_of_one_object(self) -> bool {
        match self {
            Self::Forbidden | Self::Archived | Self::Other => true,
            Self::NoSuchBucket | Self::Credentials | Self::Throttled | Self::Unreachable => false,
        }
    }
}
