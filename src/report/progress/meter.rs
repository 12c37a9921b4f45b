//! What a phase has counted, and how that reads.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{HumanBytes, HumanCount, HumanFloatCount};

use crate::report::text::{duration, printable};

/// The counters of a phase.
#[derive(Debug)]
pub(super) struct Meter {
    name: String,
    unit: String,
    total: Mutex<Option<u64>>,
    done: AtomicU64,
    bytes: AtomicU64,
    running: AtomicBool,
    started: Duration,
    last: Mutex<Sample>,
}

#[derive(Clone, Copy, Debug)]
struct Sample {
    at: Duration,
    done: u64,
    bytes: u64,
}

/// A phase that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhasePast {
    /// Its name, such as `copy`.
    pub phase: String,
    /// How many were done.
    pub done: u64,
    /// What was counted, such as `objects`.
    pub unit: String,
    /// When it began, since the program started.
    pub began: Duration,
    /// How long it took.
    pub took: Duration,
}

/// How fast a phase is.
#[derive(Clone, Copy)]
pub(super) struct Pace {
    pub(super) done_per_second: f64,
    pub(super) bytes_per_second: u64,
}

impl Meter {
    pub(super) fn new(name: &str, unit: &str, total: Option<u64>, now: Duration) -> Self {
        Self {
            name: printable(name),
            unit: printable(unit),
            total: Mutex::new(total),
            done: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            running: AtomicBool::new(true),
            started: now,
            last: Mutex::new(Sample { at: now, done: 0, bytes: 0 }),
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn unit(&self) -> &str {
        &self.unit
    }

    /// The unit for this many: `1 row`, `2 rows`.
    fn units(&self, count: u64) -> &str {
        if count == 1 { self.unit.trim_end_matches('s') } else { &self.unit }
    }

    pub(super) fn total(&self) -> Option<u64> {
        *self.total.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set_total(&self, total: u64) {
        *self.total.lock().unwrap_or_else(PoisonError::into_inner) = Some(total);
    }

    pub(super) fn add(&self, count: u64) {
        self.done.fetch_add(count, Ordering::Relaxed);
    }

    pub(super) fn add_bytes(&self, bytes: u64) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }

    /// Since it began.
    pub(super) fn elapsed(&self, now: Duration) -> Duration {
        now.saturating_sub(self.started)
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    pub(super) fn is_running(&self) -> bool {
        self.running.load(Ordering::Relaxed)
    }

    /// Ends it. Whether it was still running.
    pub(super) fn stop(&self) -> bool {
        self.running.swap(false, Ordering::Relaxed)
    }

    /// What is remembered of it once it has ended.
    pub(super) fn past(&self, now: Duration) -> PhasePast {
        let (phase, unit) = (self.name.clone(), self.units(self.done()).to_owned());
        PhasePast { phase, done: self.done(), unit, began: self.started, took: self.elapsed(now) }
    }

    /// How far it is, and how fast it was since the last such line.
    pub(super) fn line(&self, now: Duration) -> String {
        let sample = Sample { at: now, done: self.done(), bytes: self.bytes() };
        let last = std::mem::replace(&mut *self.last.lock().unwrap_or_else(PoisonError::into_inner), sample);
        let pace = last.pace(sample);
        format!("{}: {}", self.name, self.figures(pace))
    }

    /// What was done, and how fast over all.
    pub(super) fn closing_line(&self, now: Duration) -> String {
        let begin = Sample { at: self.started, done: 0, bytes: 0 };
        let end = Sample { at: now, done: self.done(), bytes: self.bytes() };
        let elapsed = self.elapsed(now);
        let mut line = format!("{}: {} {}", self.name, HumanCount(end.done), self.units(end.done));
        if end.bytes > 0 {
            line += &format!(", {}", HumanBytes(end.bytes));
        }
        line += &format!(" in {}", duration(elapsed));
        // Over shorter times a pace is noise.
        if elapsed >= Duration::from_secs(1) && end.done > 0 {
            line += &format!(" ({})", self.speed(begin.pace(end)));
        }
        line
    }

    /// `1,200 of 12,000 objects (10 %), 3.20 GiB, 120 objects/s, 32.00 MiB/s, 1 min 30 s left`.
    pub(super) fn figures(&self, pace: Pace) -> String {
        let done = self.done();
        let mut text = match self.total() {
            Some(total) => {
                let percent = u128::from(done) * 100 / u128::from(total.max(1));
                format!("{} of {} {} ({percent} %)", HumanCount(done), HumanCount(total), self.units(total))
            }
            None => format!("{} {}", HumanCount(done), self.units(done)),
        };
        if self.bytes() > 0 {
            text += &format!(", {}", HumanBytes(self.bytes()));
        }
        text += &format!(", {}", self.speed(pace));
        if let Some(left) = self.left(done, pace) {
            text += &format!(", {} left", duration(left));
        }
        text
    }

    fn speed(&self, pace: Pace) -> String {
        let digits = if pace.done_per_second < 10.0 { 1 } else { 0 };
        let mut text = format!("{:.digits$} {}/s", HumanFloatCount(pace.done_per_second), self.unit);
        if self.bytes() > 0 {
            text += &format!(", {}/s", HumanBytes(pace.bytes_per_second));
        }
        text
    }

    /// Unknown without a total or while nothing moves.
    fn left(&self, done: u64, pace: Pace) -> Option<Duration> {
        let left = self.total()?.checked_sub(done).filter(|&left| left > 0)?;
        Duration::try_from_secs_f64((left as f64 / pace.done_per_second).round()).ok()
    }
}

impl Sample {
    fn pace(self, later: Self) -> Pace {
        let elapsed = later.at.saturating_sub(self.at);
        let done = later.done.saturating_sub(self.done);
        Pace {
            done_per_second: done as f64 / elapsed.as_secs_f64().max(0.001),
            bytes_per_second: per_second(later.bytes.saturating_sub(self.bytes), elapsed),
        }
    }
}

/// Whole bytes in a second, on average.
pub(super) fn per_second(bytes: u64, elapsed: Duration) -> u64 {
    u64::try_from(u128::from(bytes) * 1_000 / elapsed.as_millis().max(1)).unwrap_or(u64::MAX)
}
