//! Room for bodies that are read to be hashed or compared, each object or pair in a task of its own: the caller's task drives
//! all other objects of a window as well. How many are read at once follows from their sizes, so that large ones do not fill
//! the memory with what has arrived and is not looked at yet; and from how fast they come, as more of them are of use only
//! where each is held up by its way.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;
use tokio::task::JoinError;
use tokio_util::task::AbortOnDropHandle;

/// Bytes that a permit stands for.
const PERMIT: u64 = 64 << 10;
/// Permits of the two buckets together at first: four pairs of large bodies. Where the server is near, more only take the place
/// of each other in the caches (measured: 6 to 10 % slower with 20 pairs).
const PERMITS_FIRST: usize = 96;
/// What there are in the end: 32 MiB.
const PERMITS_LAST: usize = 512;
/// Permits that a large body takes: what the kernel and the HTTP client hold of one at a time, and what is hashed.
const PERMITS_MOST: u32 = 12;
/// Bytes a second of a body that its way does not hold up. S3 gives 85 to 90 MB/s a connection (AWS: "Performance design
/// patterns for Amazon S3").
const UNHINDERED: f64 = 120e6;

/// Room for bodies that are being read. Clones share it, and so do the buckets of a migration.
#[derive(Clone, Debug)]
pub(super) struct Room {
    permits: Arc<Semaphore>,
    /// How many of them there are.
    made: Arc<AtomicUsize>,
}

impl Default for Room {
    fn default() -> Self {
        Self { permits: Arc::new(Semaphore::new(PERMITS_FIRST)), made: Arc::new(AtomicUsize::new(PERMITS_FIRST)) }
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
        let permits = self.permits.clone().acquire_many_owned(count).await.ok();
        let task = tokio::spawn(async move {
            let _permits = permits;
            work.await
        });
        let begun = Instant::now();
        let read = done(AbortOnDropHandle::new(task).await).await;
        if are_held_up(sizes, begun.elapsed()) {
            self.grow(usize::try_from(count).unwrap_or_default());
        }
        read
    }

    /// So it doubles while all that is read is held up, as TCP does at its start (RFC 5681).
    fn grow(&self, by: usize) {
        let grown = |made: usize| (made + by).min(PERMITS_LAST);
        let made = self.made.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |made| Some(grown(made)));
        self.permits.add_permits(made.map_or(0, |made| grown(made) - made));
    }
}

/// Whether bodies of these sizes, read side by side, could have come faster.
fn are_held_up(sizes: &[u64], took: Duration) -> bool {
    let largest = sizes.iter().copied().max().unwrap_or_default();
    (largest as f64) < UNHINDERED * took.as_secs_f64()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_that_come_slower_than_s3_gives_them_are_held_up() {
        for (megabytes, milliseconds, held_up) in
            [(8, 70, true), (8, 66, false), (240, 2_001, true), (240, 1_999, false)]
        {
            let sizes = [1, megabytes * 1_000_000];
            assert_eq!(are_held_up(&sizes, Duration::from_millis(milliseconds)), held_up, "{megabytes} MB");
        }
    }

    #[tokio::test]
    async fn the_room_grows_while_what_is_read_is_slow_and_not_without_end() {
        let room = Room::default();
        room.read(&[u64::MAX, u64::MAX], async {}).await;
        assert_eq!(room.permits.available_permits(), PERMITS_FIRST);
        // Nothing at all takes some time.
        room.read(&[0], tokio::task::yield_now()).await;
        assert_eq!(room.permits.available_permits(), PERMITS_FIRST + 1);
        (0..100).for_each(|_| room.grow(24));
        assert_eq!(room.permits.available_permits(), PERMITS_LAST);
    }
}
