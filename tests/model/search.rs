//! Searches: how many states, and how short a counterexample is.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use stateright::{Checker, HasDiscoveries, Model};

use crate::model::{FINISHED, Protocol};
use crate::safeguard::Safeguards;
use crate::world::World;

/// Where a search for a counterexample gives up.
const STATES_MAX: usize = 2_500_000;

/// A broken promise and the shortest way to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Counterexample {
    pub(crate) steps: usize,
    pub(crate) promise: &'static str,
    /// One action a line.
    pub(crate) trace: Vec<String>,
}

/// What a search through a world found.
#[derive(Debug)]
pub(crate) struct Searched {
    pub(crate) states: usize,
    pub(crate) depth: usize,
    pub(crate) seconds: f64,
    pub(crate) whole: bool,
    pub(crate) can_finish: bool,
    pub(crate) counterexample: Option<Counterexample>,
}

/// Searches a world with all safeguards on, up to so many generated states (unique ones are fewer).
pub(crate) fn search(world: World, states: usize, time: Duration, threads: usize, convergence: bool) -> Searched {
    let begun = Instant::now();
    let protocol = Protocol { world, safeguards: Safeguards::ALL_ON, convergence };
    let builder = protocol.checker().threads(threads).target_state_count(states).timeout(time);
    let checker = builder.finish_when(HasDiscoveries::AnyFailures).spawn_bfs().join();
    let found = checker.discoveries();
    let whole = checker.state_count() < states && begun.elapsed() < time;
    let can_finish = found.contains_key(FINISHED);
    let counterexample = shortest_of(found.into_iter());
    let seconds = begun.elapsed().as_secs_f64();
    Searched {
        states: checker.unique_state_count(),
        depth: checker.max_depth(),
        seconds,
        whole,
        can_finish,
        counterexample,
    }
}

/// The shortest counterexample to a promise, or to any of them.
pub(crate) fn counterexample(
    world: World,
    safeguards: Safeguards,
    promise: Option<&'static str>,
) -> Option<Counterexample> {
    let mut shortest: Option<Counterexample> = None;
    loop {
        let protocol = Protocol { world, safeguards, convergence: false };
        let wanted = promise.map_or(HasDiscoveries::AnyFailures, |name| HasDiscoveries::AnyOf(BTreeSet::from([name])));
        let mut builder = protocol.checker().threads(1).target_state_count(STATES_MAX).finish_when(wanted);
        if let Some(known) = &shortest {
            // A search in blocks may pass by the first one: is there one that is shorter?
            builder = builder.target_max_depth(known.steps + 1);
        }
        let found = builder.spawn_bfs().join().discoveries().into_iter();
        match shortest_of(found.filter(|(name, _)| promise.is_none_or(|promise| promise == *name))) {
            Some(found) if shortest.as_ref().is_none_or(|known| found.steps < known.steps) => shortest = Some(found),
            Some(_) | None => return shortest,
        }
    }
}

type Path = stateright::Path<<Protocol as Model>::State, <Protocol as Model>::Action>;

fn shortest_of(found: impl Iterator<Item = (&'static str, Path)>) -> Option<Counterexample> {
    let broken = found.filter(|(name, _)| *name != FINISHED).map(|(promise, path)| {
        let trace: Vec<String> = path.into_actions().iter().map(|action| format!("{action:?}")).collect();
        Counterexample { steps: trace.len(), promise, trace }
    });
    broken.min_by_key(|found| (found.steps, found.promise))
}
