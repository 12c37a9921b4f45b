//! The embedded server behind printed policies: every request is judged by what AWS documents that it needs, and each
//! right that was used is noted.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, Weak};

use avatar_migrate_kit::{EmbeddedS3, Fault, ItemSeen, RequestSeen};

use super::rules::{Access, Right, Rules};

/// What went through the gate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Log {
    pub(crate) used: BTreeSet<Right>,
    pub(crate) refused: BTreeSet<Access>,
}

/// Judges every request to `s3` from now on. One upload may not be completed besides.
pub(crate) fn guard(s3: &Arc<EmbeddedS3>, rules: &Rules, fails: Option<u64>) -> Arc<Mutex<Log>> {
    let log = Arc::new(Mutex::new(Log::default()));
    let judge = {
        let (rules, log) = (rules.clone(), Arc::clone(&log));
        move |needed: Vec<Access>| {
            let mut log = log.lock().expect("a lock");
            needed.into_iter().fold(true, |all, access| match rules.allows(&access) {
                Some(right) => {
                    log.used.insert(right);
                    all
                }
                None => {
                    log.refused.insert(access);
                    false
                }
            })
        }
    };
    let (store, of_request, of_item) = (Arc::downgrade(s3), judge.clone(), judge);
    s3.reset_requests();
    s3.on_request(move |request| {
        // What an earlier run has left is looked for where s3:ListBucketMultipartUploads happens to be granted. No policy
        // grants it: commands do without, and it tells of the uploads of others.
        let allowed = request.operation != "ListMultipartUploads" && of_request(needed(&store, request));
        if request.operation == "CompleteMultipartUpload" && fails == Some(request.nth) {
            Fault::Status(400, "InvalidPart".to_owned())
        } else if allowed {
            Fault::None
        } else {
            Fault::Status(403, "AccessDenied".to_owned())
        }
    });
    s3.on_delete_item(move |item| of_item(deleting(&item.bucket, &item.key, item)));
    log
}

/// A conditional delete takes both (AWS: "How to perform conditional deletes").
fn deleting(bucket: &str, key: &str, item: &ItemSeen) -> Vec<Access> {
    let delete = Access { if_match: item.if_match, ..Access::of("s3:DeleteObject", bucket, key) };
    let look = item.if_match.then(|| Access::of("s3:GetObject", bucket, key));
    [delete].into_iter().chain(look).collect()
}

/// What a request needs (AWS: "Required permissions for Amazon S3 API operations", and the page of each operation).
fn needed(store: &Weak<EmbeddedS3>, request: &RequestSeen) -> Vec<Access> {
    let bucket = request.bucket.as_deref().expect("a bucket");
    let key = request.key.as_deref().unwrap_or_default();
    let on_key = |action| Access::of(action, bucket, key);
    let tagged = |action| request.tags.then(|| on_key(action));
    // An `If-Match` on a write looks at what is there (AWS: "How to prevent object overwrites with conditional writes").
    let looked = request.if_match.then(|| on_key("s3:GetObject"));
    match request.operation.as_str() {
        "ListObjectsV2" => vec![Access::listing(bucket, request.prefix.as_deref())],
        "HeadObject" | "GetObject" => {
            // Who may not list learns nothing of what is absent: 403 instead of 404 (AWS: "HeadObject").
            let absent = store.upgrade().is_some_and(|s3| s3.object(bucket, key).is_none());
            let listing = absent.then(|| Access::listing(bucket, Some(key)));
            [on_key("s3:GetObject")].into_iter().chain(listing).collect()
        }
        "GetObjectTagging" => vec![on_key("s3:GetObjectTagging")],
        "PutObject" | "CreateMultipartUpload" | "UploadPart" | "CompleteMultipartUpload" => {
            [on_key("s3:PutObject")].into_iter().chain(tagged("s3:PutObjectTagging")).chain(looked).collect()
        }
        "CopyObject" | "UploadPartCopy" => {
            let (from, source) = request.copy_source.as_ref().expect("a source");
            let copied = [Access::of("s3:GetObject", from, source), on_key("s3:PutObject")];
            copied.into_iter().chain(tags_of_copy(store, request)).chain(looked).collect()
        }
        "AbortMultipartUpload" => vec![on_key("s3:AbortMultipartUpload")],
        "DeleteObject" => {
            let item = ItemSeen { bucket: bucket.to_owned(), key: key.to_owned(), if_match: request.if_match };
            deleting(bucket, key, &item)
        }
        // Key by key, in the other hook.
        "DeleteObjects" => Vec::new(),
        "GetBucketLocation" => vec![Access::on_bucket("s3:GetBucketLocation", bucket)],
        "GetBucketOwnershipControls" => vec![Access::on_bucket("s3:GetBucketOwnershipControls", bucket)],
        "GetBucketEncryption" => vec![Access::on_bucket("s3:GetEncryptionConfiguration", bucket)],
        "GetBucketVersioning" => vec![Access::on_bucket("s3:GetBucketVersioning", bucket)],
        "GetObjectLockConfiguration" => vec![Access::on_bucket("s3:GetBucketObjectLockConfiguration", bucket)],
        "GetBucketLifecycleConfiguration" => vec![Access::on_bucket("s3:GetLifecycleConfiguration", bucket)],
        other => panic!("nobody has said what {other} needs"),
    }
}

/// A copy takes the tags along, if there are any (AWS: "CopyObject").
fn tags_of_copy(store: &Weak<EmbeddedS3>, request: &RequestSeen) -> Vec<Access> {
    let (Some((from, source)), Some(s3)) = (&request.copy_source, store.upgrade()) else { return Vec::new() };
    let tagged = s3.object(from, source).is_some_and(|object| !object.tags.is_empty());
    if !tagged || request.operation != "CopyObject" {
        return Vec::new();
    }
    let (bucket, key) = (request.bucket.as_deref().expect("a bucket"), request.key.as_deref().expect("a key"));
    vec![Access::of("s3:GetObjectTagging", from, source), Access::of("s3:PutObjectTagging", bucket, key)]
}
