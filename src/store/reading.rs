//! The bytes of an object as they come, while it has its ETag.

use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;

use super::failure::Failure;
use super::hashing::Hashing;
use super::patience::{ATTEMPTS_MAX, pause_before};
use super::{Bucket, ObjectInfo, Sha256Digest, StoreError};

/// SHA-256 over all bytes of an object; `None` if it is gone or changed.
pub(super) async fn sha256(bucket: &Bucket, object: &ObjectInfo) -> Result<Option<Sha256Digest>, StoreError> {
    read_anew(|| async {
        let Some(mut reading) = Reading::open(bucket, object).await? else { return Ok(None) };
        let mut hashing = Hashing::begin();
        while reading.fill().await? {
            hashing.update(reading.take(usize::MAX)).await;
        }
        Ok(Some(hashing.finish()))
    })
    .await
}

/// An object that is being read.
pub(super) struct Reading<'a> {
    bucket: &'a Bucket,
    object: &'a ObjectInfo,
    body: ByteStream,
    /// How many bytes have come.
    length: u64,
    /// Those of them that nobody took yet.
    arrived: Bytes,
}

impl<'a> Reading<'a> {
    /// Begins to read; `None` if the object is gone or changed.
    pub(super) async fn open(bucket: &'a Bucket, object: &'a ObjectInfo) -> Result<Option<Self>, Broken> {
        let opened = bucket.open(&object.key, &object.etag, None).await;
        let output = opened.map_err(|failure| Broken::new(failure, bucket, object))?;
        Ok(output.map(|output| Self::of(bucket, object, output.body)))
    }

    pub(super) fn of(bucket: &'a Bucket, object: &'a ObjectInfo, body: ByteStream) -> Self {
        Self { bucket, object, body, length: 0, arrived: Bytes::new() }
    }

    /// Waits until bytes are there to be taken, unless some are; `false` at the end of the object. A body that ends
    /// elsewhere is broken.
    pub(super) async fn fill(&mut self) -> Result<bool, Broken> {
        while self.arrived.is_empty() {
            match self.body.next().await {
                Some(Ok(chunk)) => {
                    self.length += chunk.len() as u64;
                    self.arrived = chunk;
                }
                Some(Err(error)) => return Err(self.broken(Failure::broken_body(&error))),
                None if self.length == self.object.size => return Ok(false),
                None => {
                    let text = format!("the body ended after {} of {} bytes", self.length, self.object.size);
                    return Err(self.broken(Failure::unusable_answer(text)));
                }
            }
        }
        Ok(true)
    }

    /// How many bytes are there to be taken.
    pub(super) fn arrived(&self) -> usize {
        self.arrived.len()
    }

    /// Takes them, at most so many.
    pub(super) fn take(&mut self, most: usize) -> Bytes {
        self.arrived.split_to(most.min(self.arrived.len()))
    }

    fn broken(&self, failure: Failure) -> Broken {
        Broken::new(failure, self.bucket, self.object)
    }
}

/// An attempt at reading that broke off, and of which object.
#[derive(Debug)]
pub(super) struct Broken {
    failure: Failure,
    subject: String,
}

impl Broken {
    fn new(failure: Failure, bucket: &Bucket, object: &ObjectInfo) -> Self {
        Self { failure, subject: bucket.subject(object.key.as_str()) }
    }
}

/// Reads from the start again what broke off, if that may help.
pub(super) async fn read_anew<T, F: Future<Output = Result<T, Broken>>>(
    mut read: impl FnMut() -> F,
) -> Result<T, StoreError> {
    let mut attempt = 1;
    loop {
        match read().await {
            Ok(read) => return Ok(read),
            Err(broken) if broken.failure.is_transient() && attempt < ATTEMPTS_MAX => pause_before(attempt).await,
            Err(Broken { failure, subject }) => return Err(failure.into_error("GetObject", subject)),
        }
        attempt += 1;
    }
}
