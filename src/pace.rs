//! How many requests run at once: grows while all goes well, halves when the service says that it is too much.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::config::Concurrency;

/// Where `auto` begins.
const START: usize = 32;
/// Where `auto` ends: past this a single client gains nothing (measured on SeaweedFS and Garage with 2 cores).
const MOST: usize = 256;
/// Where backing off ends.
const LEAST: usize = 4;

/// A semaphore whose size follows the service (additive increase, multiplicative decrease).
#[derive(Debug)]
pub struct Pace {
    permits: Semaphore,
    size: AtomicUsize,
    good: AtomicUsize,
    fixed: bool,
}

impl Pace {
    /// A pace as configured.
    #[must_use]
    pub fn new(concurrency: Concurrency) -> Self {
        let (size, fixed) = match concurrency {
            Concurrency::Auto => (START, false),
            Concurrency::Fixed(size) => (size.max(1), true),
        };
        Self { permits: Semaphore::new(size), size: AtomicUsize::new(size), good: AtomicUsize::new(0), fixed }
    }

    /// Waits for a turn.
    pub async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        // The semaphore is never closed, so that there is always a permit in the end.
        self.permits.acquire().await.ok()
    }

    /// How many may run at once just now.
    #[must_use]
    pub fn size(&self) -> usize {
        self.size.load(Ordering::Relaxed)
    }

    /// How many futures to keep ready, so that a growing pace always finds work.
    #[must_use]
    pub fn most(&self) -> usize {
        if self.fixed { self.size() } else { MOST }
    }

    /// A request went well: after as many as run at once, one more may run.
    pub fn went_well(&self) {
        let size = self.size();
        if self.fixed || size >= MOST || self.good.fetch_add(1, Ordering::Relaxed) < size {
            return;
        }
        self.good.store(0, Ordering::Relaxed);
        self.size.fetch_add(1, Ordering::Relaxed);
        self.permits.add_permits(1);
    }

    /// The service is overloaded: half as many from now on.
    pub fn too_much(&self) {
        let size = self.size();
        let less = (size / 2).max(LEAST);
        if self.fixed || less >= size {
            return;
        }
        self.good.store(0, Ordering::Relaxed);
        // Permits in use cannot be taken away; those that are free are, and later calls take the rest.
        let forgotten = self.permits.forget_permits(size - less);
        self.size.fetch_sub(forgotten, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pace_grows_by_one_and_halves_at_once() {
        let pace = Pace::new(Concurrency::Auto);
        for _ in 0..=START {
            pace.went_well();
        }
        assert_eq!(pace.size(), START + 1);
        pace.too_much();
        assert_eq!(pace.size(), START.div_ceil(2));
        for _ in 0..10 {
            pace.too_much();
        }
        assert_eq!(pace.size(), LEAST);
    }

    #[test]
    fn a_fixed_pace_stays() {
        let pace = Pace::new(Concurrency::Fixed(7));
        pace.too_much();
        (0..100).for_each(|_| pace.went_well());
        assert_eq!((pace.size(), pace.most()), (7, 7));
    }
}
