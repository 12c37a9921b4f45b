//! How a busy service far away behaves: answers take their time, too many requests are refused, and what went by when.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The length of a [`Tick`].
const TICK: Duration = Duration::from_millis(100);
/// For so long a quiet time may be made up for by a burst.
const BURST: Duration = Duration::from_millis(100);

/// What is asked of a client's patience; nothing at first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Strain {
    /// Added to the time of every request, refused ones included.
    pub latency: Duration,
    /// What goes beyond so many requests a second is answered with 503 SlowDown.
    pub per_second: Option<u32>,
}

/// The requests of a tenth of a second, by their arrival.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tick {
    /// Those that were done.
    pub admitted: u64,
    /// Those that were answered with 503 SlowDown.
    pub refused: u64,
}

/// Admits requests and keeps the book of them.
#[derive(Debug)]
pub(crate) struct Gauge(Mutex<State>);

#[derive(Debug)]
struct State {
    strain: Strain,
    begun: Instant,
    /// Requests that may be admitted at once, as of `filled`.
    tokens: f64,
    filled: Instant,
    ticks: BTreeMap<String, Vec<Tick>>,
}

impl Gauge {
    pub(crate) fn set(&self, strain: Strain) {
        self.state().strain = strain;
    }

    /// The book begins anew.
    pub(crate) fn reset(&self) {
        let mut state = self.state();
        state.begun = Instant::now();
        state.ticks.clear();
    }

    /// Whether a request is to be done, and how long it takes beforehand.
    pub(crate) fn admit(&self, operation: &str) -> (bool, Duration) {
        let mut state = self.state();
        let now = Instant::now();
        let admitted = state.take_token(now);
        state.note(operation, now, admitted);
        (admitted, state.strain.latency)
    }

    /// The ticks of an operation since the last reset, the first one first.
    pub(crate) fn ticks(&self, operation: &str) -> Vec<Tick> {
        self.state().ticks.get(operation).cloned().unwrap_or_default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Gauge {
    fn default() -> Self {
        let now = Instant::now();
        let (strain, ticks) = (Strain::default(), BTreeMap::new());
        Self(Mutex::new(State { strain, begun: now, tokens: 0.0, filled: now, ticks }))
    }
}

impl State {
    /// A bucket of tokens that fills with time.
    fn take_token(&mut self, now: Instant) -> bool {
        let Some(per_second) = self.strain.per_second.map(f64::from) else { return true };
        let filled = now.saturating_duration_since(self.filled).as_secs_f64() * per_second;
        self.tokens = (self.tokens + filled).min((per_second * BURST.as_secs_f64()).max(1.0));
        self.filled = now;
        if self.tokens < 1.0 {
            return false;
        }
        self.tokens -= 1.0;
        true
    }

    fn note(&mut self, operation: &str, now: Instant, admitted: bool) {
        let since = now.saturating_duration_since(self.begun);
        let at = usize::try_from(since.as_millis() / TICK.as_millis()).unwrap_or(usize::MAX - 1);
        if !self.ticks.contains_key(operation) {
            self.ticks.insert(operation.to_owned(), Vec::new());
        }
        let Some(ticks) = self.ticks.get_mut(operation) else { return };
        if ticks.len() <= at {
            ticks.resize(at + 1, Tick::default());
        }
        if let Some(tick) = ticks.get_mut(at) {
            *if admitted { &mut tick.admitted } else { &mut tick.refused } += 1;
        }
    }
}
