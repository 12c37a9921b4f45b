//! Canary for listings: does this endpoint list the very keys that were written, all of them, in byte order, across pages?

use super::failure::Failure;
use super::scratch::{Scratch, put, remove, swept};
use super::{Bucket, ObjectInfo, StoreError, StoreErrorKind};

/// What the listing of an endpoint was seen to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListTrial {
    /// Keys came in byte order, each once.
    pub ordered: bool,
    /// Every object came with its ETag.
    pub etags: bool,
    /// Names that were written, or tried, and that no listing gave back as they were: the server refuses, merges or
    /// renames them.
    pub lost: Vec<String>,
}

/// Writes scratch objects with names that servers on file systems stumble over, and lists them two at a time. They are
/// removed, those of earlier runs too.
///
/// # Errors
/// [`StoreError`] if nothing can be written, listed or removed at all.
pub async fn prove_listing(bucket: &Bucket, scratch: &Scratch) -> Result<ListTrial, StoreError> {
    swept(bucket, &scratch.prefix(TRIAL), tried(bucket, scratch)).await
}

async fn tried(bucket: &Bucket, scratch: &Scratch) -> Result<ListTrial, StoreError> {
    let mut written = Vec::new();
    for name in NAMES {
        match write(bucket, scratch, name).await {
            Ok(object) => written.push((name, Some(object))),
            // A server that cannot hold a name says so in many ways; what is no answer about the name is an error.
            Err(error) if error.kind == StoreErrorKind::Other => written.push((name, None)),
            Err(error) => return Err(error),
        }
    }
    let listed = listed(bucket, &scratch.prefix(TRIAL)).await;
    // By name, as the sweep finds only what is listed.
    for object in written.iter().filter_map(|(_, object)| object.as_ref()) {
        remove(bucket, &object.key).await?;
    }
    let listed = listed?;
    let ordered = listed.iter().zip(listed.iter().skip(1)).all(|(one, next)| one.key.as_str() < next.key.as_str());
    let etags = listed.iter().all(|object| !object.etag.as_str().is_empty());
    let kept = |object: &ObjectInfo| {
        listed.iter().any(|seen| seen.key == object.key && (seen.etag == object.etag || seen.etag.as_str().is_empty()))
    };
    let lost = written.iter().filter(|(_, object)| !object.as_ref().is_some_and(kept));
    Ok(ListTrial { ordered, etags, lost: lost.map(|(name, _)| (*name).to_owned()).collect() })
}

async fn write(bucket: &Bucket, scratch: &Scratch, name: &str) -> Result<ObjectInfo, StoreError> {
    let failed = |failure: Failure| failure.into_error("listing canary", bucket.subject(&scratch.prefix(TRIAL)));
    let key = scratch.key(TRIAL, name).map_err(failed)?;
    put(bucket, &key, "to see how keys are listed").await.map_err(failed)
}

async fn listed(bucket: &Bucket, prefix: &str) -> Result<Vec<ObjectInfo>, StoreError> {
    let mut objects = Vec::new();
    let mut token = None;
    loop {
        let page = bucket.page(prefix, None, token, PAGE_KEYS).await?;
        objects.extend(page.objects);
        token = page.next;
        if token.is_none() {
            return Ok(objects);
        }
    }
}

/// In the order in which they are written, which is not that of their bytes. A file system cannot hold `a` beside `a/b`,
/// merges slashes, and lists the directory `a` before `a b`.
const NAMES: [&str; 7] = ["a/b", "a//b", "a", "a\u{e9}", "a+b", "a%2Bb", "a b"];

/// Small, so that tokens are followed.
const PAGE_KEYS: i32 = 2;

/// What the scratch objects of this trial are named after.
const TRIAL: &str = "list";
