//! The phases that run, in the order of their beginning.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::meter::Meter;

/// Those that have begun; the ones that ended are forgotten when it is asked next.
#[derive(Debug, Default)]
pub(super) struct Phases(Mutex<Vec<Weak<Meter>>>);

impl Phases {
    /// Adds a phase.
    pub(super) fn watch(&self, meter: &Arc<Meter>) {
        let mut phases = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        phases.retain(is_running);
        phases.push(Arc::downgrade(meter));
    }

    /// Those that still run.
    pub(super) fn running(&self) -> Vec<Arc<Meter>> {
        let mut phases = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        phases.retain(is_running);
        phases.iter().filter_map(Weak::upgrade).collect()
    }
}

fn is_running(phase: &Weak<Meter>) -> bool {
    phase.upgrade().is_some_and(|meter| meter.is_running())
}
