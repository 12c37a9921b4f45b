//! The buckets: ordered maps behind one lock, which no caller holds while it waits.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;

use s3s::dto::{LifecycleRule, ObjectLockConfiguration, VersioningConfiguration};
use s3s::{S3Error, S3Result, s3_error};

use super::condition::Conditions;
use super::multipart::Upload;
use super::object::{StoredObject, now_to_the_millisecond};

/// Objects of a bucket. `String` orders by UTF-8 bytes, which is the order of S3's listings.
pub(crate) type Objects = BTreeMap<String, Arc<StoredObject>>;

/// Everything the server holds.
#[derive(Debug)]
pub(crate) struct Store {
    buckets: RwLock<BTreeMap<String, Bucket>>,
    /// Second names of buckets.
    aliases: RwLock<BTreeMap<String, String>>,
    /// The largest object that one CopyObject or UploadPartCopy takes, in bytes.
    pub(crate) copy_limit: AtomicU64,
    /// The least size of all parts but the last, in bytes.
    pub(crate) least_part: AtomicU64,
    next_upload: AtomicU64,
    ignored: RwLock<Vec<Ignored>>,
}

/// What a server other than AWS may silently ignore, or do otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ignored {
    /// `If-None-Match` and `If-Match` on the target of CopyObject and PutObject.
    Target,
    /// `x-amz-copy-source-if-match`.
    CopySource,
    /// `If-Match` of DeleteObject.
    Delete,
    /// The ETag of a key in DeleteObjects.
    DeleteBatch,
    /// The byte order of listings: directories come before their neighbours, as in a file system.
    ListOrder,
    /// Keys with two slashes in a row: they are kept, but no listing shows them.
    ListDoubleSlashes,
    /// ETags in listings: objects are listed without.
    ListETags,
    /// The checksum that a copy is asked for: the answer gives none.
    CopyChecksum,
    /// The content of a copy: its SHA-256 is told as that of no bytes.
    CopyChecksumContent,
}

/// All buckets at one moment; objects are shared, so that taking and restoring it is cheap.
#[derive(Clone, Debug)]
pub struct Snapshot(BTreeMap<String, Bucket>);

/// One bucket.
#[derive(Clone, Debug)]
pub(crate) struct Bucket {
    pub(crate) created: SystemTime,
    pub(crate) objects: Objects,
    /// Open multipart uploads by key and upload id.
    pub(crate) uploads: BTreeMap<(String, String), Upload>,
    pub(crate) settings: Settings,
}

/// Settings that the server keeps and tells; it acts on none of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    pub(crate) versioning: VersioningConfiguration,
    pub(crate) lifecycle: Option<Vec<LifecycleRule>>,
    pub(crate) object_lock: Option<ObjectLockConfiguration>,
    pub(crate) policy: Option<String>,
}

impl Store {
    pub(crate) fn new() -> Self {
        Self {
            buckets: RwLock::default(),
            aliases: RwLock::default(),
            copy_limit: AtomicU64::new(5 << 30),
            least_part: AtomicU64::new(5 << 20),
            next_upload: AtomicU64::new(1),
            ignored: RwLock::default(),
        }
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        Snapshot(self.buckets.read().unwrap_or_else(PoisonError::into_inner).clone())
    }

    pub(crate) fn restore(&self, snapshot: &Snapshot) {
        *self.buckets.write().unwrap_or_else(PoisonError::into_inner) = snapshot.0.clone();
    }

    /// Ignores these conditions from now on, and no others.
    pub(crate) fn ignore(&self, ignored: &[Ignored]) {
        *self.ignored.write().unwrap_or_else(PoisonError::into_inner) = ignored.to_vec();
    }

    /// The conditions of a request, or none if this server ignores such ones.
    pub(crate) fn heeded(&self, kind: Ignored, conditions: Conditions) -> Conditions {
        if self.ignores(kind) { Conditions::default() } else { conditions }
    }

    /// Whether this server ignores it.
    pub(crate) fn ignores(&self, kind: Ignored) -> bool {
        self.ignored.read().unwrap_or_else(PoisonError::into_inner).contains(&kind)
    }

    /// Gives a bucket a second name.
    pub(crate) fn alias(&self, alias: &str, bucket: &str) {
        let mut aliases = self.aliases.write().unwrap_or_else(PoisonError::into_inner);
        aliases.insert(alias.to_owned(), bucket.to_owned());
    }

    fn name_of(&self, name: &str) -> String {
        let aliases = self.aliases.read().unwrap_or_else(PoisonError::into_inner);
        aliases.get(name).cloned().unwrap_or_else(|| name.to_owned())
    }

    /// Runs `read` on a bucket, or answers NoSuchBucket.
    pub(crate) fn read<T>(&self, bucket: &str, read: impl FnOnce(&Bucket) -> T) -> S3Result<T> {
        let buckets = self.buckets.read().unwrap_or_else(PoisonError::into_inner);
        buckets.get(&self.name_of(bucket)).map(read).ok_or_else(no_such_bucket)
    }

    /// Runs `write` on a bucket, or answers NoSuchBucket.
    pub(crate) fn write<T>(&self, bucket: &str, write: impl FnOnce(&mut Bucket) -> T) -> S3Result<T> {
        let mut buckets = self.buckets.write().unwrap_or_else(PoisonError::into_inner);
        buckets.get_mut(&self.name_of(bucket)).map(write).ok_or_else(no_such_bucket)
    }

    /// The object under a key, or NoSuchBucket, or NoSuchKey.
    pub(crate) fn object(&self, bucket: &str, key: &str) -> S3Result<Arc<StoredObject>> {
        self.read(bucket, |bucket| bucket.objects.get(key).cloned())?.ok_or_else(no_such_key)
    }

    /// Puts an object under a key if the conditions hold of what stands there.
    pub(crate) fn put(&self, bucket: &str, key: &str, object: StoredObject, conditions: &Conditions) -> S3Result {
        self.write(bucket, |bucket| {
            conditions.allow_write(bucket.objects.get(key).map(AsRef::as_ref))?;
            bucket.objects.insert(key.to_owned(), Arc::new(object));
            Ok(())
        })?
    }

    /// Removes a key if the conditions hold. An absent key is removed already.
    pub(crate) fn remove(&self, bucket: &str, key: &str, conditions: &Conditions) -> S3Result {
        self.write(bucket, |bucket| {
            conditions.allow_write(bucket.objects.get(key).map(AsRef::as_ref))?;
            bucket.objects.remove(key);
            Ok(())
        })?
    }

    /// Changes what is kept beside the bytes, without moving the date.
    pub(crate) fn amend(&self, bucket: &str, key: &str, amend: impl FnOnce(&mut StoredObject)) -> S3Result {
        self.write(bucket, |bucket| {
            let object = bucket.objects.get_mut(key).ok_or_else(no_such_key)?;
            amend(Arc::make_mut(object));
            Ok(())
        })?
    }

    /// Creates a bucket; `false` if it was there.
    pub(crate) fn create_bucket(&self, name: &str) -> bool {
        let mut buckets = self.buckets.write().unwrap_or_else(PoisonError::into_inner);
        if buckets.contains_key(name) {
            return false;
        }
        let bucket = Bucket {
            created: now_to_the_millisecond(),
            objects: Objects::new(),
            uploads: BTreeMap::new(),
            settings: Settings::default(),
        };
        buckets.insert(name.to_owned(), bucket);
        true
    }

    /// Deletes an empty bucket.
    pub(crate) fn delete_bucket(&self, name: &str) -> S3Result {
        let mut buckets = self.buckets.write().unwrap_or_else(PoisonError::into_inner);
        let bucket = buckets.get(name).ok_or_else(no_such_bucket)?;
        if !bucket.objects.is_empty() {
            return Err(s3_error!(BucketNotEmpty, "The bucket you tried to delete is not empty"));
        }
        buckets.remove(name);
        Ok(())
    }

    /// Names and dates of all buckets.
    pub(crate) fn bucket_names(&self) -> Vec<(String, SystemTime)> {
        let buckets = self.buckets.read().unwrap_or_else(PoisonError::into_inner);
        buckets.iter().map(|(name, bucket)| (name.clone(), bucket.created)).collect()
    }

    /// A new upload id; later ones sort after earlier ones.
    pub(crate) fn new_upload_id(&self) -> String {
        format!("upload-{:012}", self.next_upload.fetch_add(1, Ordering::Relaxed))
    }
}

/// The error for a bucket that is not there.
pub(crate) fn no_such_bucket() -> S3Error {
    s3_error!(NoSuchBucket, "The specified bucket does not exist")
}

/// The error for a key that is not there.
pub(crate) fn no_such_key() -> S3Error {
    s3_error!(NoSuchKey, "The specified key does not exist.")
}
