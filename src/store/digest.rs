//! The SHA-256 of an object's bytes.
//!
//! Each body is read and hashed in a task of its own: the caller's task drives all other objects of a window as well, and
//! hashing keeps a core busy. How many bodies are read at once follows from their sizes, so that large ones do not fill the
//! memory with what has arrived and is not hashed yet.

use std::panic::resume_unwind;
use std::sync::Arc;

use sha2::{Digest, Sha256};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::task::AbortOnDropHandle;

use super::bucket::Bucket;
use super::failure::Failure;
use super::patience::{ATTEMPTS_MAX, pause_before};
use super::{ObjectInfo, Sha256Digest, StoreError};

/// Bytes that a permit stands for.
const PIECE: u64 = 64 << 10;
/// Permits of a bucket: 16 MiB.
const PIECES: usize = 256;
/// Permits that a large body takes: what the kernel and the HTTP client hold of one at a time.
const PIECES_MOST: u32 = 8;

/// Room for bodies that are being read.
#[derive(Clone, Debug)]
pub(super) struct Room(Arc<Semaphore>);

impl Default for Room {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(PIECES)))
    }
}

impl Room {
    /// Waits until a body of `size` bytes may be read. The semaphore is never closed, so that there always is a permit.
    async fn take(&self, size: u64) -> Option<OwnedSemaphorePermit> {
        let pieces = u32::try_from(size / PIECE).unwrap_or(PIECES_MOST).clamp(1, PIECES_MOST);
        self.0.clone().acquire_many_owned(pieces).await.ok()
    }
}

/// Reads and hashes an object; `None` if it is not what it was.
///
/// # Errors
/// If it cannot be read.
pub(super) async fn sha256(bucket: &Bucket, object: &ObjectInfo) -> Result<Option<Sha256Digest>, StoreError> {
    let room = bucket.reading().take(object.size).await;
    let (bucket, object) = (bucket.clone(), object.clone());
    let task = tokio::spawn(async move {
        let _room = room;
        patiently(&bucket, &object).await
    });
    match AbortOnDropHandle::new(task).await {
        Ok(digest) => digest,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            // The runtime is being shut down, and with it whoever waits here.
            Err(_) => std::future::pending().await,
        },
    }
}

async fn patiently(bucket: &Bucket, object: &ObjectInfo) -> Result<Option<Sha256Digest>, StoreError> {
    let mut attempt = 1;
    loop {
        match once(bucket, object).await {
            Ok(digest) => return Ok(digest),
            Err(failure) if failure.is_transient() && attempt < ATTEMPTS_MAX => pause_before(attempt).await,
            Err(failure) => return Err(failure.into_error("GetObject", bucket.subject(object.key.as_str()))),
        }
        attempt += 1;
    }
}

async fn once(bucket: &Bucket, object: &ObjectInfo) -> Result<Option<Sha256Digest>, Failure> {
    let Some(mut output) = bucket.open(object, None).await? else { return Ok(None) };
    let mut hasher = Sha256::new();
    let mut length: u64 = 0;
    while let Some(chunk) = output.body.next().await {
        let chunk = chunk.map_err(|error| Failure::broken_body(&error))?;
        length += chunk.len() as u64;
        hasher.update(&chunk);
    }
    if length != object.size {
        let text = format!("the body ended after {length} of {} bytes", object.size);
        return Err(Failure::unusable_answer(text));
    }
    Ok(Some(Sha256Digest(hasher.finalize().into())))
}
