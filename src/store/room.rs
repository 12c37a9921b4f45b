//! Bodies that are read to be hashed, each in a task of its own: the caller's task drives all other objects of a window as
//! well, and hashing keeps a core busy, which is why large ones are hashed on threads of their own. How many are read at once
//! follows from their sizes, so that large ones do not fill the memory with what has arrived and is not hashed yet.

use std::panic::resume_unwind;
use std::sync::Arc;

use bytes::Bytes;
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;
use tokio::task::JoinError;
use tokio_util::task::AbortOnDropHandle;

/// Bytes that are hashed at a time.
pub(super) const PIECE: usize = 256 << 10;

/// Bytes that a permit stands for.
const PERMIT: u64 = 64 << 10;
/// Permits of a bucket: 16 MiB.
const PERMITS: usize = 256;
/// Permits that a large body takes: what the kernel and the HTTP client hold of one at a time, and the piece that is hashed.
const PERMITS_MOST: u32 = 12;

/// Room for bodies that are being read. Clones share it.
#[derive(Clone, Debug)]
pub(super) struct Room(Arc<Semaphore>);

impl Default for Room {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(PERMITS)))
    }
}

impl Room {
    /// Waits until a body of `size` bytes may be read, and has `work` done in a task.
    pub(super) async fn read<T: Send + 'static>(&self, size: u64, work: impl Future<Output = T> + Send + 'static) -> T {
        let count = u32::try_from(size / PERMIT).unwrap_or(PERMITS_MOST).clamp(1, PERMITS_MOST);
        // The semaphore is never closed, so that there always are permits in the end.
        let permits = self.0.clone().acquire_many_owned(count).await.ok();
        let task = tokio::spawn(async move {
            let _permits = permits;
            work.await
        });
        done(AbortOnDropHandle::new(task).await).await
    }
}

/// Hashes more of a body, on a thread that has nothing else to do: the caller's may drive all requests.
pub(super) async fn hashed(mut hasher: Sha256, chunks: Vec<Bytes>) -> Sha256 {
    let hashing = tokio::task::spawn_blocking(move || {
        chunks.iter().for_each(|chunk| hasher.update(chunk));
        hasher
    });
    done(hashing.await).await
}

async fn done<T>(joined: Result<T, JoinError>) -> T {
    match joined.map_err(JoinError::try_into_panic) {
        Ok(done) => done,
        Err(Ok(panic)) => resume_unwind(panic),
        // The runtime is being shut down, and with it whoever waits here.
        Err(Err(_)) => std::future::pending().await,
    }
}
