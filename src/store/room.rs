//! Bodies that are read to be hashed, each in a task of its own: the caller's task drives all other objects of a window as
//! well, and hashing keeps a core busy. How many are read at once follows from their sizes, so that large ones do not fill
//! the memory with what has arrived and is not hashed yet.

use std::panic::resume_unwind;
use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio_util::task::AbortOnDropHandle;

/// Bytes that a permit stands for.
const PIECE: u64 = 64 << 10;
/// Permits of a bucket: 16 MiB.
const PIECES: usize = 256;
/// Permits that a large body takes: what the kernel and the HTTP client hold of one at a time.
const PIECES_MOST: u32 = 8;

/// Room for bodies that are being read. Clones share it.
#[derive(Clone, Debug)]
pub(super) struct Room(Arc<Semaphore>);

impl Default for Room {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(PIECES)))
    }
}

impl Room {
    /// Waits until a body of `size` bytes may be read, and has `work` done in a task.
    pub(super) async fn read<T: Send + 'static>(&self, size: u64, work: impl Future<Output = T> + Send + 'static) -> T {
        let pieces = u32::try_from(size / PIECE).unwrap_or(PIECES_MOST).clamp(1, PIECES_MOST);
        // The semaphore is never closed, so that there always are permits in the end.
        let permits = self.0.clone().acquire_many_owned(pieces).await.ok();
        let task = tokio::spawn(async move {
            let _permits = permits;
            work.await
        });
        match AbortOnDropHandle::new(task).await {
            Ok(done) => done,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => resume_unwind(panic),
                // The runtime is being shut down, and with it whoever waits here.
                Err(_) => std::future::pending().await,
            },
        }
    }
}
