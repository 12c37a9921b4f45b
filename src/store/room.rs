//! Room for bodies that are read to be hashed or compared, each object or pair in a task of its own: the caller's task drives
//! all other objects of a window as well. How many are read at once follows from their sizes, so that large ones do not fill
//! the memory with what has arrived and is not looked at yet.

use std::panic::resume_unwind;
use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::JoinError;
use tokio_util::task::AbortOnDropHandle;

/// Bytes that a permit stands for.
const PERMIT: u64 = 64 << 10;
/// Permits of the two buckets together: 32 MiB.
const PERMITS: usize = 512;
/// Permits that a large body takes: what the kernel and the HTTP client hold of one at a time, and what is hashed.
const PERMITS_MOST: u32 = 12;

/// Room for bodies that are being read. Clones share it, and so do the buckets of a migration.
#[derive(Clone, Debug)]
pub(super) struct Room(Arc<Semaphore>);

impl Default for Room {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(PERMITS)))
    }
}

impl Room {
    /// Waits until bodies of these sizes may be read, and has `work` done in a task. The room of all of them is asked for at
    /// once: with one body's in hand and that of its twin to come, a crowd would wait for itself.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        sizes: &[u64],
        work: impl Future<Output = T> + Send + 'static,
    ) -> T {
        let count = sizes.iter().copied().map(permits).sum();
        // The semaphore is never closed, so that there always are permits in the end.
        let permits = self.0.clone().acquire_many_owned(count).await.ok();
        let task = tokio::spawn(async move {
            let _permits = permits;
            work.await
        });
        done(AbortOnDropHandle::new(task).await).await
    }
}

fn permits(size: u64) -> u32 {
    u32::try_from(size / PERMIT).unwrap_or(PERMITS_MOST).clamp(1, PERMITS_MOST)
}

/// What a task or a thread has made.
pub(super) async fn done<T>(joined: Result<T, JoinError>) -> T {
    match joined.map_err(JoinError::try_into_panic) {
        Ok(done) => done,
        Err(Ok(panic)) => resume_unwind(panic),
        // The runtime is being shut down, and with it whoever waits here.
        Err(Err(_)) => std::future::pending().await,
    }
}
