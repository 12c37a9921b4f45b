//! How many requests run at once: soon as many as the service takes, and fewer at once when it says that it is too much.
//!
//! The rule is that of TCP (RFC 5681): from a small start one more for each answer, until the service complains for the
//! first time; then half as many, and from there one more for each round of answers (additive increase, multiplicative
//! decrease). What was under way at a decrease was sent at the old rate, so that its complaints do not count again.

mod brake;

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Semaphore, SemaphorePermit};

pub use brake::{Brake, Cause, Reasons};

use crate::config::Concurrency;

/// Where `auto` begins.
const START: usize = 32;
/// Where `auto` ends: past this a single client gains nothing (measured on SeaweedFS and Garage with 2 cores).
const MOST: usize = 256;
/// Where requests for hundreds of keys each begin. AWS takes 3,500 deletes a second under one prefix ("Best practices design
/// patterns"), and says when it is too much.
const BATCHES_START: usize = 8;
/// Where they end.
const BATCHES_MOST: usize = 16;
/// Where backing off ends.
const LEAST: usize = 2;

/// How many answers asked for fewer requests, those included that were then retried with success. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Throttles(Arc<AtomicU64>);

impl Throttles {
    /// One more such answer.
    pub fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// All of them so far.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A semaphore whose size follows the service.
#[derive(Debug)]
pub struct Pace {
    permits: Semaphore,
    state: Mutex<State>,
    throttles: Throttles,
    brake: Brake,
    fixed: bool,
    most: usize,
}

#[derive(Debug)]
struct State {
    size: usize,
    /// Permits to take back as soon as they are returned: those in use cannot be taken away.
    owed: usize,
    /// Answers since the size grew last.
    good: usize,
    /// Answers that still belong to requests sent before the last decrease.
    old: usize,
    /// Complaints that were acted upon.
    noticed: u64,
    /// Until the first complaint the size grows with each answer.
    starting: bool,
}

impl Pace {
    /// A pace as configured, which heeds what `throttles` counts and holds while `brake` does.
    ///
    /// Requests that wait for their share of a second already count as attempts, which end in time: so no more of them are
    /// begun than the limit lets through in a second.
    #[must_use]
    pub fn new(concurrency: Concurrency, throttles: Throttles, brake: Brake, per_second: Option<NonZeroU32>) -> Self {
        let limit = per_second.and_then(|limit| usize::try_from(limit.get()).ok()).unwrap_or(usize::MAX).max(LEAST);
        match concurrency {
            Concurrency::Auto => Self::between(START.min(limit), MOST.min(limit), throttles, brake),
            Concurrency::Fixed(size) => {
                let size = size.clamp(1, limit);
                Self { fixed: true, ..Self::between(size, size, throttles, brake) }
            }
        }
    }

    /// A pace of its own for requests for hundreds of keys each: few at once, and never more than are configured of others.
    #[must_use]
    pub fn of_batches(concurrency: Concurrency, throttles: Throttles, brake: Brake) -> Self {
        let most = match concurrency {
            Concurrency::Auto => BATCHES_MOST,
            Concurrency::Fixed(size) => size.clamp(1, BATCHES_MOST),
        };
        Self::between(BATCHES_START.min(most), most, throttles, brake)
    }

    fn between(size: usize, most: usize, throttles: Throttles, brake: Brake) -> Self {
        let state = State { size, owed: 0, good: 0, old: 0, noticed: throttles.count(), starting: true };
        Self { permits: Semaphore::new(size), state: Mutex::new(state), throttles, brake, fixed: false, most }
    }

    /// Waits for a turn.
    pub async fn turn(&self) -> Turn<'_> {
        self.brake.passed().await;
        // The semaphore is never closed, so that there is always a permit in the end.
        Turn { pace: self, permit: self.permits.acquire().await.ok(), went_well: false }
    }

    /// How many may run at once just now.
    #[must_use]
    pub fn size(&self) -> usize {
        self.state().size
    }

    /// How many futures to keep ready, so that a growing pace always finds work.
    #[must_use]
    pub fn most(&self) -> usize {
        self.most
    }

    /// What holds it.
    #[must_use]
    pub fn brake(&self) -> &Brake {
        &self.brake
    }

    /// The service is overloaded, as said where the counter of throttles does not see it.
    pub fn too_much(&self) {
        self.throttles.add();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ended(&self, permit: Option<SemaphorePermit<'_>>, went_well: bool) {
        if self.fixed {
            return;
        }
        let mut state = self.state();
        let added = state.answered(self.throttles.count(), went_well, self.most);
        if state.owed > 0 {
            state.owed -= 1;
            permit.into_iter().for_each(SemaphorePermit::forget);
        }
        drop(state);
        self.permits.add_permits(added);
    }
}

impl State {
    /// Takes note of an answer; gives how many permits there are to be more.
    fn answered(&mut self, throttled: u64, went_well: bool, most: usize) -> usize {
        let complains = std::mem::replace(&mut self.noticed, throttled) < throttled;
        if self.old > 0 {
            self.old -= 1;
            return 0;
        }
        if complains {
            let less = (self.size / 2).max(LEAST);
            self.owed += self.size.saturating_sub(less);
            (self.old, self.size, self.good, self.starting) = (self.size - 1, less.min(self.size), 0, false);
            return 0;
        }
        self.good += usize::from(went_well);
        if self.size >= most || self.good < if self.starting { 1 } else { self.size } {
            return 0;
        }
        (self.size, self.good) = (self.size + 1, 0);
        // What is owed is the first to be given.
        if self.owed > 0 {
            self.owed -= 1;
            return 0;
        }
        1
    }
}

/// The right to have one request under way, until it is dropped.
#[derive(Debug)]
pub struct Turn<'a> {
    pace: &'a Pace,
    permit: Option<SemaphorePermit<'a>>,
    went_well: bool,
}

impl Turn<'_> {
    /// The request went well.
    pub fn went_well(mut self) {
        self.went_well = true;
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.pace.ended(self.permit.take(), self.went_well);
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    fn pace(concurrency: Concurrency) -> (Pace, Throttles) {
        let throttles = Throttles::default();
        (Pace::new(concurrency, throttles.clone(), Brake::default(), None), throttles)
    }

    /// As many turns as there are free just now.
    fn turns(pace: &Pace) -> Vec<Turn<'_>> {
        std::iter::from_fn(|| pace.turn().now_or_never()).collect()
    }

    /// All that fits runs, and all of it goes well.
    fn round(pace: &Pace) -> usize {
        let turns = turns(pace);
        let count = turns.len();
        turns.into_iter().for_each(Turn::went_well);
        count
    }

    #[test]
    fn the_pace_doubles_a_round_until_the_service_complains() {
        let (pace, _throttles) = pace(Concurrency::Auto);
        assert_eq!([(); 5].map(|()| round(&pace)), [START, START * 2, START * 4, MOST, MOST]);
    }

    #[test]
    fn a_complaint_halves_it_once_and_then_it_grows_by_one_a_round() {
        let (pace, throttles) = pace(Concurrency::Auto);
        round(&pace);
        let running = turns(&pace);
        assert_eq!(running.len(), START * 2);
        // Each of them may complain: they were sent at one rate.
        for turn in running {
            throttles.add();
            drop(turn);
        }
        assert_eq!((pace.size(), turns(&pace).len()), (START, START));
        assert_eq!([(); 3].map(|()| round(&pace)), [START, START + 1, START + 2]);
        for _ in 0..20 {
            pace.too_much();
            round(&pace);
            round(&pace);
            round(&pace);
        }
        assert!(pace.size() <= LEAST + 2, "{}", pace.size());
        assert!(round(&pace) >= LEAST);
    }

    #[test]
    fn what_fails_for_other_reasons_neither_grows_nor_shrinks_it() {
        let (pace, _throttles) = pace(Concurrency::Auto);
        drop(turns(&pace));
        assert_eq!(turns(&pace).len(), START);
    }

    #[test]
    fn batches_begin_with_few_and_never_exceed_what_is_configured() {
        let of = |concurrency| Pace::of_batches(concurrency, Throttles::default(), Brake::default());
        let pace = of(Concurrency::Auto);
        assert_eq!([(); 3].map(|()| round(&pace)), [BATCHES_START, 2 * BATCHES_START, BATCHES_MOST]);
        let pace = of(Concurrency::Fixed(3));
        assert_eq!([(); 2].map(|()| round(&pace)), [3, 3]);
        pace.too_much();
        round(&pace);
        assert_eq!(pace.size(), LEAST, "a complaint is heeded all the same");
        assert_eq!(of(Concurrency::Fixed(500)).most(), BATCHES_MOST);
    }

    #[test]
    fn a_fixed_pace_stays() {
        let (pace, throttles) = pace(Concurrency::Fixed(7));
        throttles.add();
        assert_eq!([(); 3].map(|()| round(&pace)), [7, 7, 7]);
        assert_eq!((pace.size(), pace.most()), (7, 7));
    }
}
