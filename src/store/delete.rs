//! The delete requests themselves, and what their answers say of each key.

use std::collections::BTreeMap;

use aws_sdk_s3::error::BuildError;
use aws_sdk_s3::operation::delete_objects::DeleteObjectsOutput;
use aws_sdk_s3::types::{Delete, ObjectIdentifier};

use super::failure::Failure;
use super::{Bucket, DeleteEnd, DeleteItem};
use crate::path::ObjectKey;

/// How sources are deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeleteMode {
    /// DeleteObjects, up to 1,000 keys a request, each with its ETag.
    Batch,
    /// DeleteObject with `If-Match`, one key a request.
    Single,
    /// HEAD, compare, plain DeleteObject: not atomic.
    Compare,
}

/// What one answer said of one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Final.
    End(DeleteEnd),
    /// Not deleted for now, for this reason.
    Again(String),
}

impl Verdict {
    /// The end that this verdict is, or is taken for once the attempts are used up.
    pub(super) fn end(self) -> DeleteEnd {
        match self {
            Self::End(end) => end,
            Self::Again(reason) => DeleteEnd::Failed(reason),
        }
    }

    /// A code in the verdicts of DeleteObjects means what it means as the answer to one DeleteObject.
    fn of_code(code: &str, message: &str) -> Self {
        let reason = if message.is_empty() { code.to_owned() } else { format!("{code}: {message}") };
        match code {
            "PreconditionFailed" => Self::End(DeleteEnd::Changed),
            "NoSuchKey" => Self::End(DeleteEnd::Deleted),
            "SlowDown"
            | "InternalError"
            | "ServiceUnavailable"
            | "RequestTimeout"
            | "ConditionalRequestConflict"
            | "OperationAborted" => Self::Again(reason),
            "AccessDenied" => Self::End(DeleteEnd::Failed(format!("{reason}; {DELETE_PERMISSIONS}"))),
            _ => Self::End(DeleteEnd::Failed(reason)),
        }
    }
}

/// One DeleteObjects; a verdict per item, in order. The answer is a 200 whatever happened to the keys, and it may list
/// them in any order (AWS: "DeleteObjects").
pub(super) async fn delete_batch(bucket: &Bucket, items: &[&DeleteItem]) -> Result<Vec<Verdict>, Failure> {
    let delete = batch(items).map_err(|error| Failure::unusable_answer(error.to_string()))?;
    let answer = bucket.client().delete_objects().bucket(bucket.name()).delete(delete).send().await;
    let output = answer.map_err(|error| Failure::from(error).hint_if_forbidden(DELETE_PERMISSIONS))?;
    let verdicts = verdicts(&output);
    let of_item = |item: &&DeleteItem| verdicts.get(item.key.as_str()).cloned();
    Ok(items.iter().map(|item| of_item(item).unwrap_or_else(|| Verdict::End(no_verdict()))).collect())
}

fn batch(items: &[&DeleteItem]) -> Result<Delete, BuildError> {
    let identify =
        |item: &&DeleteItem| ObjectIdentifier::builder().key(item.key.as_str()).e_tag(item.etag.quoted()).build();
    let objects = items.iter().map(identify).collect::<Result<_, _>>()?;
    Delete::builder().set_objects(Some(objects)).quiet(false).build()
}

/// The verdicts by key. A key that is called both deleted and failed counts as failed.
fn verdicts(output: &DeleteObjectsOutput) -> BTreeMap<&str, Verdict> {
    let deleted = output.deleted().iter().filter_map(|entry| entry.key());
    let deleted = deleted.map(|key| (key, Verdict::End(DeleteEnd::Deleted)));
    let errors = output.errors().iter().filter_map(|error| {
        Some((error.key()?, Verdict::of_code(error.code().unwrap_or("no code"), error.message().unwrap_or_default())))
    });
    deleted.chain(errors).collect()
}

/// The end of a key that an answer does not mention.
pub(super) fn no_verdict() -> DeleteEnd {
    DeleteEnd::Failed("the answer says nothing of this key".to_owned())
}

/// One conditional DeleteObject. An error says nothing of the object.
pub(super) async fn delete_if_match(bucket: &Bucket, item: &DeleteItem) -> Result<Verdict, Failure> {
    let request = bucket.client().delete_object().bucket(bucket.name()).key(item.key.as_str());
    match request.if_match(item.etag.quoted()).send().await.map_err(Failure::from) {
        Ok(_) => Ok(Verdict::End(DeleteEnd::Deleted)),
        Err(failure) if failure.is_precondition() => Ok(Verdict::End(DeleteEnd::Changed)),
        Err(failure) if failure.is_missing_object() => Ok(Verdict::End(DeleteEnd::Deleted)),
        Err(failure) if failure.is_conflict() || failure.is_transient() => {
            Ok(Verdict::Again(failure.message().to_owned()))
        }
        Err(failure) => Err(failure.hint_if_forbidden(DELETE_PERMISSIONS)),
    }
}

/// One DeleteObject without a condition.
pub(super) async fn delete_plain(bucket: &Bucket, key: &ObjectKey) -> Result<(), Failure> {
    let answer = bucket.client().delete_object().bucket(bucket.name()).key(key.as_str()).send().await;
    match answer.map_err(Failure::from) {
        Ok(_) => Ok(()),
        Err(failure) if failure.is_missing_object() => Ok(()),
        Err(failure) => Err(failure.hint_if_forbidden(DELETE_PERMISSIONS)),
    }
}

const DELETE_PERMISSIONS: &str = "a conditional delete needs s3:DeleteObject and s3:GetObject";
