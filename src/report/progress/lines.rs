//! The clockwork of plain lines: a thread that sleeps, and the phases that it looks at.

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread;
use std::time::Duration;

use super::meter::Meter;

/// How often a running phase says how far it is.
const INTERVAL: Duration = Duration::from_secs(10);

/// The phases to tell of, and the thread that does; it ends with this.
pub(super) struct Ticker {
    phases: Mutex<Vec<Weak<Meter>>>,
    // Never sent to: dropping it wakes and ends the thread.
    alive: Mutex<Option<Sender<()>>>,
}

impl Ticker {
    pub(super) fn new() -> Self {
        Self { phases: Mutex::new(Vec::new()), alive: Mutex::new(None) }
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

    /// Adds a phase.
    pub(super) fn watch(&self, meter: &Arc<Meter>) {
        self.phases.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::downgrade(meter));
    }

    /// The phases that still run, in the order of their beginning.
    pub(super) fn running(&self) -> Vec<Arc<Meter>> {
        let mut phases = self.phases.lock().unwrap_or_else(PoisonError::into_inner);
        phases.retain(|phase| phase.upgrade().is_some_and(|meter| meter.is_running()));
        phases.iter().filter_map(Weak::upgrade).collect()
    }
}
