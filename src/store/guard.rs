//! What stands between a copy and its target, and what a failed copy means.

use super::failure::Failure;
use super::{Bucket, CopyEnd, CopyGuard, ObjectInfo, ReadObjects, StoreError};

impl CopyGuard {
    /// The value of `If-None-Match`, if this guard is that one.
    pub(super) fn if_none_match(&self) -> Option<String> {
        match self {
            Self::Absent => Some("*".to_owned()),
            Self::OwnCopy(_) => None,
        }
    }

    /// The value of `If-Match`, if this guard is that one.
    pub(super) fn if_match(&self) -> Option<String> {
        match self {
            Self::Absent => None,
            Self::OwnCopy(etag) => Some(etag.quoted()),
        }
    }
}

/// The end of a copy of `object` that failed in this way.
///
/// A failed condition need not be another's doing: the SDK repeats a copy whose answer was lost, and the repetition
/// then meets the object that the first attempt made. So neither 412 nor a lost answer is judged here.
///
/// A missing object may be either one: AWS answers 404 also when `If-Match` finds no target (AWS: "Add preconditions to
/// S3 operations with conditional requests"), and SeaweedFS calls an absent source an invalid one.
pub(super) async fn end_of_failed_copy(
    failure: Failure,
    operation: &'static str,
    source: &Bucket,
    object: &ObjectInfo,
) -> Result<CopyEnd, StoreError> {
    if failure.is_precondition() || failure.is_conflict() || failure.has_code("NoSuchUpload") || failure.is_ambiguous()
    {
        return Ok(CopyEnd::Unsettled);
    }
    if failure.is_missing_object() || failure.has_code("InvalidCopySource") {
        match source.head(&object.key).await? {
            None => return Ok(CopyEnd::MissingSource),
            Some(_) if failure.is_missing_object() => return Ok(CopyEnd::Unsettled),
            Some(_) => {}
        }
    }
    let failure = failure.hint_if_forbidden(COPY_PERMISSIONS);
    Err(failure.into_error(operation, source.subject(object.key.as_str())))
}

const COPY_PERMISSIONS: &str = "a copy needs s3:GetObject and s3:GetObjectTagging on the source, s3:PutObject, \
                                s3:PutObjectTagging and s3:GetObject on the target, and for encrypted buckets \
                                kms:Decrypt and kms:GenerateDataKey; a server-side copy needs all of them for one \
                                identity";
