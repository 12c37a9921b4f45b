//! An S3 server in this process and in memory, which does what AWS does.

mod age;
mod bucket;
mod checksum;
mod condition;
mod copy;
mod faults;
mod keys;
mod list;
mod multipart;
mod object;
mod read;
mod server;
mod service;
mod store;
mod strain;
mod tagging;
mod uploads;
mod write;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use anyhow::Context;
use bytes::Bytes;

pub use self::checksum::{Algorithm, StoredChecksum};
pub use self::faults::{Fault, ItemSeen, RequestSeen};
pub use self::object::{ObjectHeaders, StoredObject};
pub use self::store::{Ignored, Snapshot};
pub use self::strain::{Strain, Tick};

use self::condition::Conditions;
use self::faults::Door;
use self::keys::Keys;
use self::server::Server;
use self::store::Store;
use crate::client::{S3Login, client};

const REGION: &str = "us-east-1";
/// The account that owns all buckets, for `x-amz-expected-bucket-owner`.
const ACCOUNT: &str = "111122223333";
const ACCESS_KEY: &str = "AKIAEMBEDDED00000001";

/// The server. It listens from [`start`](Self::start) until it is dropped.
pub struct EmbeddedS3 {
    store: Arc<Store>,
    door: Arc<Door>,
    login: S3Login,
    keys: Keys,
    // Dropping it stops the listening.
    _server: Server,
}

impl EmbeddedS3 {
    /// Starts a server on a free port of the loopback, on a thread and a runtime of its own.
    pub fn start() -> anyhow::Result<Self> {
        let store = Arc::new(Store::new());
        let door = Arc::new(Door::default());
        let secret_key = crate::random::text(40);
        let keys = Keys::new(ACCESS_KEY, &secret_key);
        let server = Server::start(Arc::clone(&store), Arc::clone(&door), keys.clone())?;
        let login = S3Login {
            endpoint: format!("http://{}", server.address),
            access_key: ACCESS_KEY.to_owned(),
            secret_key,
            region: REGION.to_owned(),
        };
        Ok(Self { store, door, login, keys, _server: server })
    }

    /// `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.login.endpoint
    }

    /// The only access key it knows.
    #[must_use]
    pub fn access_key(&self) -> &str {
        &self.login.access_key
    }

    /// Its secret, another one for every server.
    #[must_use]
    pub fn secret_key(&self) -> &str {
        &self.login.secret_key
    }

    /// The region it says it is in.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.login.region
    }

    /// The account that owns its buckets.
    #[must_use]
    pub fn account(&self) -> &str {
        ACCOUNT
    }

    /// A new client with path-style addresses.
    #[must_use]
    pub fn client(&self) -> aws_sdk_s3::Client {
        client(&self.login)
    }

    /// Creates a bucket if it is not there.
    pub fn create_bucket(&self, bucket: &str) {
        self.store.create_bucket(bucket);
    }

    /// Lets everybody read the objects of a bucket without a signature, as a bucket policy for `s3:GetObject` does. Who may
    /// not list it as well gets 403 for an object that is not there.
    pub fn make_public(&self, bucket: &str, may_list: bool) {
        self.door.open_to_everybody(bucket, may_list);
    }

    /// Gives a bucket a second name, as an access point is one.
    pub fn alias_bucket(&self, alias: &str, bucket: &str) {
        self.store.alias(alias, bucket);
    }

    /// The object under a key.
    #[must_use]
    pub fn object(&self, bucket: &str, key: &str) -> Option<StoredObject> {
        self.store.object(bucket, key).ok().map(Arc::unwrap_or_clone)
    }

    /// All keys of a bucket in byte order; none if there is no such bucket.
    #[must_use]
    pub fn keys(&self, bucket: &str) -> Vec<String> {
        self.store.read(bucket, |bucket| bucket.objects.keys().cloned().collect()).unwrap_or_default()
    }

    /// Puts bytes under a key without a request: Content-Type `image/png`, CRC64NVME as S3 adds it. The bucket is
    /// created if it is not there.
    pub fn put(&self, bucket: &str, key: &str, body: impl Into<Bytes>) {
        let headers = ObjectHeaders { content_type: Some("image/png".to_owned()), ..ObjectHeaders::default() };
        self.put_with(bucket, key, body, headers, |_| ());
    }

    /// The same with other headers, and with a last word on the object: `amend` may set tags, another date, another
    /// storage class, no checksum, an opaque ETag.
    pub fn put_with(
        &self,
        bucket: &str,
        key: &str,
        body: impl Into<Bytes>,
        headers: ObjectHeaders,
        amend: impl FnOnce(&mut StoredObject),
    ) {
        let mut object = StoredObject::new(body.into(), headers);
        object.checksum = Some(StoredChecksum::of(Algorithm::Crc64Nvme, &object.body));
        amend(&mut object);
        self.store.create_bucket(bucket);
        // Nothing can refuse it: the bucket is there, and there is no condition.
        drop(self.store.put(bucket, key, object, &Conditions::default()));
    }

    /// Puts the same object under each key, without a request. They share their memory, so that ten million of them take
    /// little more than their keys.
    pub fn put_alike(&self, bucket: &str, keys: impl IntoIterator<Item = String>, body: impl Into<Bytes>) {
        let headers = ObjectHeaders { content_type: Some("image/png".to_owned()), ..ObjectHeaders::default() };
        let mut object = StoredObject::new(body.into(), headers);
        object.checksum = Some(StoredChecksum::of(Algorithm::Crc64Nvme, &object.body));
        let object = Arc::new(object);
        self.store.create_bucket(bucket);
        // It is there.
        drop(self.store.write(bucket, |bucket| {
            bucket.objects.extend(keys.into_iter().map(|key| (key, Arc::clone(&object))));
        }));
    }

    /// Puts every object of a bucket into another one under the key that `rename` gives, without a request. The two
    /// share their memory.
    pub fn put_twins(&self, from: &str, to: &str, rename: impl Fn(&str) -> String) {
        let twins: Vec<_> = self
            .store
            .read(from, |bucket| bucket.objects.iter().map(|(key, object)| (rename(key), Arc::clone(object))).collect())
            .unwrap_or_default();
        self.store.create_bucket(to);
        // It was made just now.
        drop(self.store.write(to, |bucket| bucket.objects.extend(twins)));
    }

    /// Removes a bucket with all that it holds, without a request.
    pub fn drop_bucket(&self, bucket: &str) {
        drop(self.store.write(bucket, |bucket| bucket.objects.clear()));
        drop(self.store.delete_bucket(bucket));
    }

    /// Lets another access key in, with the same secret.
    pub fn add_key(&self, access_key: &str) {
        self.keys.add(access_key);
    }

    /// The policy of a bucket, without a request.
    #[must_use]
    pub fn policy(&self, bucket: &str) -> Option<String> {
        self.store.read(bucket, |bucket| bucket.settings.policy.clone()).unwrap_or_default()
    }

    /// Gives a bucket a policy, without a request.
    pub fn set_policy(&self, bucket: &str, policy: &str) {
        drop(self.store.write(bucket, |bucket| bucket.settings.policy = Some(policy.to_owned())));
    }

    /// Removes a key without a request; says whether it was there.
    pub fn remove(&self, bucket: &str, key: &str) -> bool {
        self.store.write(bucket, |bucket| bucket.objects.remove(key).is_some()).unwrap_or(false)
    }

    /// How often each operation was asked for, by its S3 name, since the start or the last reset.
    #[must_use]
    pub fn requests(&self) -> BTreeMap<String, u64> {
        self.door.counts()
    }

    /// Counts from zero again; the numbers that a hook sees begin at 1 again too, and the ticks.
    pub fn reset_requests(&self) {
        self.door.reset_counts();
        self.door.gauge.reset();
    }

    /// Behaves like a service that is far away or in demand, until it is told otherwise.
    pub fn strain(&self, strain: Strain) {
        self.door.gauge.set(strain);
    }

    /// How many requests of an operation came in each tenth of a second since the start or the last reset.
    #[must_use]
    pub fn ticks(&self, operation: &str) -> Vec<Tick> {
        self.door.gauge.ticks(operation)
    }

    /// Calls `hook` for every request that is let in, before it is done, and does what it says. Replaces the last hook.
    pub fn on_request(&self, hook: impl Fn(&RequestSeen) -> Fault + Send + Sync + 'static) {
        self.door.set_hook(Some(Arc::new(hook)));
    }

    /// Calls `hook` for each request that the first hook was asked about, once it is done and before it is answered.
    /// Replaces the last such hook.
    pub fn after_request(&self, hook: impl Fn(&RequestSeen) + Send + Sync + 'static) {
        self.door.set_after_hook(Some(Arc::new(hook)));
    }

    /// Asks `hook` of each key of a DeleteObjects whether it may be deleted. Replaces the last such hook.
    pub fn on_delete_item(&self, hook: impl Fn(&ItemSeen) -> bool + Send + Sync + 'static) {
        self.door.set_item_hook(Some(Arc::new(hook)));
    }

    /// No hook any more.
    pub fn no_faults(&self) {
        self.door.set_hook(None);
        self.door.set_item_hook(None);
        self.door.set_after_hook(None);
    }

    /// Everything it holds by now, dates and open uploads too.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.store.snapshot()
    }

    /// Holds what it held when the snapshot was taken, and nothing else.
    pub fn restore(&self, snapshot: &Snapshot) {
        self.store.restore(snapshot);
    }

    /// Sets the largest object that one CopyObject takes (5 GiB at first), so that a test can need a multipart copy.
    pub fn set_copy_limit(&self, bytes: u64) {
        self.store.copy_limit.store(bytes, Ordering::Relaxed);
    }

    /// Sets the least size of every part but the last (5 MiB at first).
    pub fn set_least_part(&self, bytes: u64) {
        self.store.least_part.store(bytes, Ordering::Relaxed);
    }

    /// Ignores these from now on, as servers other than AWS do, and nothing else.
    pub fn ignore(&self, ignored: &[Ignored]) {
        self.store.ignore(ignored);
    }

    /// The number of multipart uploads which were neither completed nor aborted.
    pub fn open_uploads(&self, bucket: &str) -> anyhow::Result<usize> {
        self.store.read(bucket, |bucket| bucket.uploads.len()).context("failed to count uploads")
    }
}
