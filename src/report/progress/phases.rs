//! The phases that run, in the order of their beginning, and the sum of those that ended.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use super::meter::{Meter, PhasePast};

/// How many of those that ended are remembered one by one: a `copy` of many passes has several in each.
const PAST_MAX: usize = 60;

/// Those that have begun.
#[derive(Debug, Default)]
pub(super) struct Phases(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// The ones that ended are forgotten when it is asked next.
    begun: Vec<Weak<Meter>>,
    ended: BTreeMap<(String, String), PhaseFigures>,
    past: VecDeque<PhasePast>,
}

/// What all phases of a name have done so far.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PhaseFigures {
    /// The name, such as `copy`.
    pub name: String,
    /// What is counted, such as `objects`.
    pub unit: String,
    /// How many are done.
    pub done: u64,
    /// How many there are in the one that runs, if that is known.
    pub total: Option<u64>,
    /// The bytes that were moved.
    pub bytes: u64,
    /// How long they took.
    pub elapsed: Duration,
    /// Whether one runs now.
    pub running: bool,
}

impl Phases {
    /// Adds a phase.
    pub(super) fn watch(&self, meter: &Arc<Meter>) {
        let mut state = self.state();
        state.begun.retain(is_running);
        state.begun.push(Arc::downgrade(meter));
    }

    /// Those that still run.
    pub(super) fn running(&self) -> Vec<Arc<Meter>> {
        let mut state = self.state();
        state.begun.retain(is_running);
        state.begun.iter().filter_map(Weak::upgrade).collect()
    }

    /// Keeps what a phase that ends has done.
    pub(super) fn end(&self, meter: &Meter, now: Duration) {
        let mut state = self.state();
        add(&mut state.ended, meter, now, false);
        if state.past.len() == PAST_MAX {
            state.past.pop_front();
        }
        state.past.push_back(meter.past(now));
    }

    /// The last ones that have ended, in the order of their ends.
    pub(super) fn past(&self) -> Vec<PhasePast> {
        self.state().past.iter().cloned().collect()
    }

    /// What was done so far, by the name of the phase.
    pub(super) fn figures(&self, now: Duration) -> Vec<PhaseFigures> {
        let running = self.running();
        let mut all = self.state().ended.clone();
        running.iter().for_each(|meter| add(&mut all, meter, now, true));
        all.into_values().collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn add(all: &mut BTreeMap<(String, String), PhaseFigures>, meter: &Meter, now: Duration, running: bool) {
    let (name, unit) = (meter.name().to_owned(), meter.unit().to_owned());
    let sum = all.entry((name.clone(), unit.clone())).or_default();
    *sum = PhaseFigures {
        name,
        unit,
        done: sum.done + meter.done(),
        total: if running { meter.total() } else { None },
        bytes: sum.bytes + meter.bytes(),
        elapsed: sum.elapsed + meter.elapsed(now),
        running,
    };
}

fn is_running(phase: &Weak<Meter>) -> bool {
    phase.upgrade().is_some_and(|meter| meter.is_running())
}
