//! The model: a world, the safeguards that are on, every step that can be taken, and the promises.

use stateright::{Model, Property};

use crate::application::Event;
use crate::safeguard::{Safeguard, Safeguards};
use crate::state::{BOTH, Broken, Late, Operator, Path, Round, State, Step, TORN, Unfinished};
use crate::world::World;

/// The protocol in a world.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Protocol {
    pub(crate) world: World,
    pub(crate) safeguards: Safeguards,
    /// Whether each quiet state is also tried for a way to the end, which takes time.
    pub(crate) convergence: bool,
}

/// How a request or a statement ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Answer {
    Given,
    /// Carried out, but the answer got lost.
    Lost,
    /// Not carried out; the answer says so, or got lost.
    NotDone,
}

/// What can happen next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Action {
    Copy(u8),
    Finalize(u8),
    Rollback(u8),
    Step(u8, Answer),
    /// Killed.
    Crash(u8),
    /// Stopped until the server gave the lock to others (SIGSTOP), or cut off from it.
    LoseLock(u8),
    World(Event),
}

impl Protocol {
    pub(crate) fn on(&self, safeguard: Safeguard) -> bool {
        self.safeguards.on(safeguard)
    }

    fn operators(&self) -> &[u8] {
        if self.world.two_operators { &BOTH } else { &[0] }
    }

    fn steps(&self, state: &State, index: u8, actions: &mut Vec<Action>) {
        let operator = state.operators.at(index);
        if operator.step == Step::Idle {
            let free = state.lock.is_none() || !self.on(Safeguard::RunLock);
            if free && state.runs < self.world.runs {
                actions.push(Action::Copy(index));
                actions.push(Action::Finalize(index));
                if self.world.rollback {
                    actions.push(Action::Rollback(index));
                }
            }
            return;
        }
        actions.push(Action::Step(index, Answer::Given));
        if state.faults == self.world.faults {
            return;
        }
        actions.push(Action::Crash(index));
        if matches!(operator.step, Step::Copy(_) | Step::Commit | Step::UndoMove) {
            actions.push(Action::Step(index, Answer::Lost));
        }
        if matches!(operator.step, Step::Copy(_) | Step::Commit | Step::Update | Step::UndoMove) {
            actions.push(Action::Step(index, Answer::NotDone));
        }
        if operator.connected && self.world.two_operators {
            actions.push(Action::LoseLock(index));
        }
    }

    fn start(state: &mut State, index: u8, step: Step) {
        state.runs += 1;
        state.lock = state.lock.or(Some(index));
        *state.operator(index) = Operator { step, connected: true, ..Operator::default() };
    }

    fn start_finalize(&self, state: &mut State, index: u8) {
        Self::start(state, index, Step::ReadRows);
        if self.world.rollback {
            state.operator(index).closes = state.unfinished.at(index) == Unfinished::No;
            *state.unfinished.of(index) = Unfinished::Recent;
        }
    }

    /// Killed: what it had sent may still arrive, and its line in the ledger stays open.
    fn crash(&self, state: &mut State, index: u8) {
        let operator = state.operator(index);
        operator.closes = false;
        let (step, object, expired) = (operator.step, operator.object, operator.expired);
        let compared = operator.memory.at(object).source;
        if self.world.rollback && step == Step::Delete && !expired {
            state.flying = Some((object, compared));
        }
        state.end(index);
    }

    fn step(&self, state: &mut State, index: u8, answer: Answer) {
        match state.operators.at(index).step {
            Step::Idle => {}
            Step::CatchUp => self.look_again(state, index, Round::Late),
            Step::Plan => self.plan(state, index),
            Step::Look => self.look(state, index),
            Step::Copy(guard) => self.copy(state, index, guard, answer),
            Step::Confirm => Self::confirm(state, index),
            Step::Check => self.check(state, index),
            Step::Record => self.record(state, index),
            Step::SecondLook => self.look_again(state, index, Round::Second),
            Step::Journal => self.journal(state, index),
            Step::Update => self.update(state, index, answer),
            Step::Commit => self.commit(state, index, answer),
            Step::ThirdLook => self.look_again(state, index, Round::Third),
            Step::EndOfPass => self.end_of_pass(state, index),
            Step::ReadRows => Self::read_rows(state, index),
            Step::ListSources => self.list_sources(state, index),
            Step::ListTargets => Self::list_targets(state, index),
            Step::Judge => self.judge(state, index),
            Step::Count => self.count(state, index),
            Step::Canary => self.canary(state, index),
            Step::Renew => self.renew(state, index),
            Step::Delete => self.delete(state, index),
            Step::RecordDelete => self.record_delete(state, index),
            Step::UndoPlan => self.undo_plan(state, index),
            Step::UndoLook => self.undo_look(state, index),
            Step::UndoCopy => self.undo_copy(state, index),
            Step::UndoMove => self.undo_move(state, index, answer),
        }
    }

    /// The state after an action.
    pub(crate) fn after(&self, last: &State, action: Action) -> State {
        let mut state = *last;
        match action {
            Action::Copy(index) => {
                let left = BOTH.iter().any(|object| state.ledger.at(*object).open) && self.on(Safeguard::CatchUp);
                Self::start(&mut state, index, if left { Step::CatchUp } else { Step::Plan });
            }
            Action::Finalize(index) => self.start_finalize(&mut state, index),
            Action::Rollback(index) => Self::start(&mut state, index, Step::UndoPlan),
            Action::Step(index, answer) => {
                state.faults += u8::from(answer != Answer::Given);
                self.step(&mut state, index, answer);
            }
            Action::Crash(index) => {
                state.faults += 1;
                self.crash(&mut state, index);
            }
            Action::LoseLock(index) => {
                state.faults += 1;
                self.lose_lock(&mut state, index);
            }
            Action::World(event) => self.happens(&mut state, event),
        }
        state
    }

    /// MariaDB closes the connection: the lock is free, and an open transaction is rolled back.
    fn lose_lock(&self, state: &mut State, index: u8) {
        state.leave_open(index);
        state.operator(index).connected = false;
        if state.lock == Some(index) {
            state.lock = None;
        }
        if self.on(Safeguard::LockRecheck) {
            let operator = state.operator(index);
            (operator.journaled, operator.updated) = Default::default();
        }
    }
}

/// A row without an excuse leads to an object that somebody wrote.
fn resolves(state: &State) -> bool {
    BOTH.iter().all(|row| {
        let row = state.rows.at(*row);
        row.late == Late::Excused || !matches!(state.content(row.path), Some(0 | TORN))
    })
}

/// What the application wrote last is in one of the two buckets.
fn newest_is_kept(state: &State) -> bool {
    BOTH.iter().all(|object| {
        let newest = state.newest.at(*object);
        newest == 0 || state.source.at(*object) == newest || state.target.at(*object) == newest
    })
}

fn is_finished(state: &State) -> bool {
    let rows = BOTH.iter().all(|row| !matches!(state.rows.at(*row).path, Path::Legacy(_)));
    rows && state.source.at(0) == 0 && state.deleted && state.operators.at(0).step == Step::Idle
}

/// Makes a property of a promise that breaks in a step.
macro_rules! never {
    ($name:literal, $broken:ident) => {
        Property::always($name, |_, state: &State| state.broken != Some(Broken::$broken))
    };
}

impl Model for Protocol {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![self.world.init()]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        // A counterexample ends where the promise breaks.
        if state.broken.is_some() || !resolves(state) || !newest_is_kept(state) {
            return;
        }
        for index in self.operators() {
            self.steps(state, *index, actions);
        }
        self.events(state, actions);
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        Some(self.after(last, action)).filter(|state| state != last)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("every row resolves", |_, state| resolves(state)),
            Property::always("the newest picture is kept", |_, state| newest_is_kept(state)),
            never!("no foreign or newer object is overwritten", Overwrite),
            never!("no row moves to bytes that were stale at the second look", StaleCutover),
            never!("a copy that says that all is done left no stale bytes", StaleSuccess),
            never!("a cutover moves all of its rows or none", HalfCutover),
            never!("a row moves only if it holds the planned path", WrongRow),
            never!("two writing runs exclude each other", NotAlone),
            never!("no source is deleted while a legacy row exists", EarlyDelete),
            never!("what the application deleted does not come back as an orphan", Resurrected),
            never!("no reader with a path older than the grace period is broken", StaleReader),
            Property::always("from every quiet state the migration can finish, or says why not", |protocol, state| {
                !protocol.convergence || protocol.converges(state)
            }),
            Property::sometimes(FINISHED, |_, state| is_finished(state)),
        ]
    }
}

/// The property that shows that a world is not stuck.
pub(crate) const FINISHED: &str = "the migration can finish";
