//! The clockwork of plain lines: a thread that sleeps and ticks.

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// How often a running phase says how far it is.
const INTERVAL: Duration = Duration::from_secs(10);

/// The thread, which ends with this.
pub(super) struct Ticker {
    // Never sent to: dropping it wakes and ends the thread.
    alive: Mutex<Option<Sender<()>>>,
}

impl Ticker {
    pub(super) fn new() -> Self {
        Self { alive: Mutex::new(None) }
    }

    /// Calls `tick` every [`INTERVAL`] until it says no. A thread and no task, since a phase may be one long statement
    /// during which nothing is counted. Without a thread there are closing lines only.
    pub(super) fn start(&self, tick: impl Fn() -> bool + Send + 'static) {
        let (alive, ended) = mpsc::channel();
        let run = move || while ended.recv_timeout(INTERVAL) == Err(RecvTimeoutError::Timeout) && tick() {};
        if thread::Builder::new().name("progress".to_owned()).spawn(run).is_ok() {
            *self.alive.lock().unwrap_or_else(PoisonError::into_inner) = Some(alive);
        }
    }
}
