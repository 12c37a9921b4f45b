//! `copy` as `src/run/copying.rs` and `src/copy.rs` do it: plan, look, copy, confirm, check, record, look again.

use crate::model::{Answer, Protocol};
use crate::safeguard::Safeguard as S;
use crate::state::{BOTH, Broken, Clock, Fact, Guard, Mark, Memory, Pair, Path, Round, State, Step, TORN, Todo};

/// An application that keeps writing is followed so often; the program follows it 20 times.
const PASSES_MAX: u8 = 2;

impl Protocol {
    pub(crate) fn plan(&self, state: &mut State, index: u8) {
        if !state.any_legacy() || state.operators.at(index).passes == PASSES_MAX {
            return self.finish_copy(state, index);
        }
        if !self.may_write(state, index) {
            return state.end(index);
        }
        if self.on(S::ClockResetByCopy) {
            state.clock = Clock::Stopped;
        }
        let pass = state.operators.at(index).passes + 1;
        for object in BOTH {
            *state.memory(index, object) = Memory::default();
            if !state.legacy_row(object) {
                continue;
            }
            state.see(object);
            let fact = state.ledger.of(object);
            let stuck = fact.run == index + 1 && fact.mark == Mark::Stuck;
            if !stuck {
                fact.mark = Mark::Planned;
            }
            (fact.run, fact.pass, fact.open) = (index + 1, pass, false);
            let fact = *fact;
            let todo = if stuck { Todo::Nothing } else { Todo::Settle };
            *state.memory(index, object) = Memory { todo, fact, ..Memory::default() };
        }
        let rows = state.rows;
        let operator = state.operator(index);
        operator.passes += 1;
        operator.moved = false;
        operator.round = Round::First;
        operator.planned = Pair::new(rows.at(0).path, rows.at(1).path);
        next_object(state, index);
    }

    pub(crate) fn look(&self, state: &mut State, index: u8) {
        let object = state.operators.at(index).object;
        let (source, target) = (state.source.at(object), state.target.at(object));
        let memory = state.memory(index, object);
        (memory.source, memory.target) = (source, target);
        let fact = memory.fact;
        let moved = matches!(state.operators.at(index).round, Round::Third | Round::Late);
        if moved && source != 0 && target == 0 && self.on(S::DeletedAfterCommit) {
            state.memory(index, object).todo = Todo::Nothing;
            return next_object(state, index);
        }
        match (source != 0, target != 0) {
            (true, true) => state.go(index, Step::Check),
            (true, false) => state.go(index, Step::Copy(Guard::Absent)),
            (false, true) if fact.proof && (fact.target == target || !self.on(S::LiveETag)) => {
                verified(state, index, object);
            }
            (false, true | false) => stuck(state, index, object),
        }
    }

    /// The copy request: conditions, the deed, and an answer that may be lost.
    pub(crate) fn copy(&self, state: &mut State, index: u8, guard: Guard, answer: Answer) {
        let object = state.operators.at(index).object;
        let memory = state.operators.at(index).memory.at(object);
        let (before, source) = (state.target.at(object), state.source.at(object));
        let free = match guard {
            Guard::Absent => before == 0 || !self.on(S::IfNoneMatch),
            Guard::Own(version) => before == version || !self.on(S::ReplaceIfMatch) || self.world.ignores_replace,
        };
        let unchanged = source == memory.source || !self.on(S::SourceIfMatch);
        let done = answer != Answer::NotDone && free && unchanged && source != 0;
        if done {
            if before != 0 && (!state.own.at(object) || (before > source && before != TORN)) {
                state.breaks(Broken::Overwrite);
            }
            let round = state.operators.at(index).round;
            let had_moved = matches!(round, Round::Third | Round::Late | Round::Orphans) || memory.was_gone;
            if state.erased.at(object) && had_moved {
                state.breaks(Broken::Resurrected);
            }
            // The source changed between two parts of the copy: a mixture of both.
            let written = if source == memory.source { source } else { TORN };
            *state.target.of(object) = written;
            *state.own.of(object) = true;
            *state.target_newer.of(object) = true;
        }
        if done && answer == Answer::Given {
            // The answer names the ETag of what was written.
            state.memory(index, object).target = state.target.at(object);
            return state.go(index, Step::Confirm);
        }
        if self.on(S::LookAfterDoubt) {
            return state.go(index, Step::Look);
        }
        state.memory(index, object).target = memory.source;
        state.go(index, Step::Check);
    }

    /// The copy as the target bucket shows it.
    pub(crate) fn confirm(state: &mut State, index: u8) {
        let object = state.operators.at(index).object;
        let target = state.target.at(object);
        let memory = state.memory(index, object);
        if target == 0 {
            return state.go(index, Step::Look);
        }
        memory.fact = Fact { own: true, source: memory.source, target: memory.target, ..memory.fact };
        memory.target = target;
        state.go(index, Step::Check);
    }

    /// Compares what was looked at. What differs because it changed meanwhile is looked at again.
    pub(crate) fn check(&self, state: &mut State, index: u8) {
        let object = state.operators.at(index).object;
        let Memory { source, target, fact, .. } = state.operators.at(index).memory.at(object);
        if source == target || !self.on(S::Check) {
            return verified(state, index, object);
        }
        let recorded = fact.target == target || !self.on(S::LiveETag);
        let own = fact.own && recorded && fact.source != 0 && fact.source != source;
        let proved = !self.world.ignores_replace || !self.on(S::ReplaceCanary);
        if (own && proved) || !self.on(S::OwnCopyOnly) {
            return state.go(index, Step::Copy(Guard::Own(target)));
        }
        if state.source.at(object) != source || state.target.at(object) != target {
            return state.go(index, Step::Look);
        }
        stuck(state, index, object);
    }

    /// What became of the objects of a round goes to the ledger.
    pub(crate) fn record(&self, state: &mut State, index: u8) {
        if !self.may_write(state, index) {
            return state.end(index);
        }
        let round = state.operators.at(index).round;
        for object in BOTH {
            let memory = state.memory(index, object);
            if memory.todo != Todo::Mark {
                continue;
            }
            let (fact, as_listed) =
                (Fact { run: index + 1, open: false, ..memory.fact }, memory.source == memory.listed);
            memory.todo = Todo::Nothing;
            if round == Round::Orphans && fact.mark != Mark::Verified {
                continue;
            }
            if round == Round::Orphans && (as_listed || !self.on(S::OrphanAsListed)) {
                memory.todo = Todo::Delete;
            }
            *state.ledger.of(object) = fact;
        }
        let next = match round {
            Round::Orphans => Step::Canary,
            Round::First => Step::SecondLook,
            Round::Second => Step::Journal,
            Round::Third => Step::EndOfPass,
            Round::Late => Step::Plan,
        };
        state.go(index, next);
    }

    /// Sources once more, before the rows move or after they have moved; also after those that a run moved which was cut
    /// off then.
    pub(crate) fn look_again(&self, state: &mut State, index: u8, round: Round) {
        let (sources, targets, next) = match round {
            Round::First | Round::Second => (self.on(S::SecondLook), self.on(S::SecondLookAtTargets), Step::Journal),
            Round::Third | Round::Orphans => (self.on(S::ThirdLook), false, Step::EndOfPass),
            Round::Late => (true, false, Step::Plan),
        };
        if round == Round::Second {
            state.operator(index).seen = state.source;
            state.gap = Pair::default();
        }
        let mut any = false;
        for object in BOTH {
            let fact = state.ledger.at(object);
            let in_question = if round == Round::Late { fact.open } else { fact.run == index + 1 };
            if fact.mark != Mark::Verified || !in_question {
                continue;
            }
            // What earlier passes have moved is the application's, and so is what it deletes after COMMIT.
            let moved = fact.pass != state.operators.at(index).passes;
            let source = state.source.at(object);
            let changed = sources && source != 0 && source != fact.source;
            let is_gone = state.target.at(object) == 0;
            let taken = match round {
                Round::First | Round::Second if moved && self.on(S::ThisPassOnly) => false,
                Round::First | Round::Second => changed || (targets && is_gone),
                Round::Third | Round::Late | Round::Orphans => changed && !(is_gone && self.on(S::DeletedAfterCommit)),
            };
            if taken {
                any = true;
                // Until its rows have moved, nobody can tell a deleted picture from one whose row is still on the way.
                let was_gone = is_gone && moved;
                *state.memory(index, object) = Memory { todo: Todo::Settle, fact, was_gone, ..Memory::default() };
            }
        }
        state.operator(index).round = round;
        if any { next_object(state, index) } else { state.go(index, next) }
    }

    pub(crate) fn end_of_pass(&self, state: &mut State, index: u8) {
        if state.operators.at(index).moved { state.go(index, Step::Plan) } else { self.finish_copy(state, index) }
    }

    /// A run that says that all is done must have moved no row to bytes older than the source had at COMMIT, and left none
    /// where a run that was cut off had moved it.
    fn finish_copy(&self, state: &mut State, index: u8) {
        let operator = state.operators.at(index);
        let (mut stale, mut any_stuck) = (false, false);
        for object in BOTH {
            let fact = state.ledger.at(object);
            let mine = fact.run == index + 1;
            // It was named to a person, by this run or by one that was cut off then.
            let named = fact.mark == Mark::Stuck;
            any_stuck |= mine && named;
            let target = state.target.at(object);
            // What the application deleted by a legacy row meanwhile is no newer picture.
            let newest = target == state.newest.at(object);
            let own = if mine && operator.moved { operator.seen.at(object) } else { 0 };
            // A run that lost its lock knows nothing of those after it.
            let owed = if operator.connected { state.owed.at(object) } else { 0 };
            let at_commit = own.max(owed);
            stale |= state.modern_row(object) && target != 0 && !newest && !named && target < at_commit;
        }
        if stale && !any_stuck && !state.any_legacy() {
            state.breaks(Broken::StaleSuccess);
        }
        // It has looked at what those before it left, and leaves nothing to look at.
        state.operator(index).committed = false;
        if operator.connected {
            state.owed = Pair::default();
            for object in BOTH {
                state.ledger.of(object).open = false;
            }
        }
        state.end(index);
    }

    /// Whether a write to the database goes through; it must not while another run holds the lock.
    pub(crate) fn may_write(&self, state: &mut State, index: u8) -> bool {
        let operator = state.operators.at(index);
        if self.on(S::LockRecheck) && !operator.connected {
            return false;
        }
        let other = state.operators.at(1 - index);
        if other.step != Step::Idle && (other.connected || !self.on(S::RunLock)) {
            state.breaks(Broken::NotAlone);
        }
        true
    }
}

/// The next object of the round, or the record of all of them.
pub(crate) fn next_object(state: &mut State, index: u8) {
    let waiting = |object: &&u8| state.operators.at(index).memory.at(**object).todo == Todo::Settle;
    match BOTH.iter().find(waiting) {
        Some(object) => {
            state.operator(index).object = *object;
            state.go(index, Step::Look);
        }
        None => state.go(index, Step::Record),
    }
}

fn verified(state: &mut State, index: u8, object: u8) {
    let memory = state.memory(index, object);
    let own = memory.fact.own && memory.fact.target == memory.target;
    let (source, target) = (memory.source, memory.target);
    let pass = memory.fact.pass;
    memory.fact = Fact { mark: Mark::Verified, run: 0, pass, source, target, own, proof: true, open: false };
    memory.todo = Todo::Mark;
    next_object(state, index);
}

fn stuck(state: &mut State, index: u8, object: u8) {
    let memory = state.memory(index, object);
    memory.fact.mark = Mark::Stuck;
    memory.todo = Todo::Mark;
    next_object(state, index);
}

/// The object of a path that is to move.
pub(crate) fn object_of(path: Path) -> Option<u8> {
    match path {
        Path::Legacy(object) => Some(object),
        Path::None | Path::Modern(_) => None,
    }
}
