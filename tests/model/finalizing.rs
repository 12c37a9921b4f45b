//! `finalize` as `src/verify.rs`, `src/finalize.rs` and `src/run/finalizing.rs` do it: verify, prove, copy orphans, delete.

use crate::copying::next_object;
use crate::model::Protocol;
use crate::safeguard::Safeguard as S;
use crate::state::{BOTH, Broken, Clock, Fact, Late, Mark, Memory, Path, Round, State, Step, Todo};

/// What verify makes of an object.
enum Judgement {
    Refuse,
    Do(Todo),
}

impl Protocol {
    pub(crate) fn read_rows(state: &mut State, index: u8) {
        for object in BOTH {
            let (legacy, modern) = (state.legacy_row(object), state.modern_row(object));
            *state.memory(index, object) = Memory { legacy, modern, ..Memory::default() };
        }
        state.go(index, Step::ListSources);
    }

    pub(crate) fn list_sources(&self, state: &mut State, index: u8) {
        for object in BOTH {
            let (source, young) = (state.source.at(object), state.young.at(object) && self.on(S::OrphanAge));
            let memory = state.memory(index, object);
            (memory.source, memory.listed, memory.young) = (source, source, young);
        }
        state.go(index, Step::ListTargets);
    }

    pub(crate) fn list_targets(state: &mut State, index: u8) {
        for object in BOTH {
            state.memory(index, object).target = state.target.at(object);
        }
        state.go(index, Step::Judge);
    }

    /// The verdicts, the grace clock, and what refuses a finalize.
    pub(crate) fn judge(&self, state: &mut State, index: u8) {
        let memory = state.operators.at(index).memory;
        let legacy = memory.at(0).legacy || memory.at(1).legacy;
        match (legacy, state.clock) {
            (false, Clock::Stopped) => state.clock = Clock::Running,
            (true, _) if self.on(S::ClockResetByVerify) => state.clock = Clock::Stopped,
            (false | true, Clock::Stopped | Clock::Running | Clock::Elapsed) => {}
        }
        let mut refused = legacy && self.on(S::VerifyRefuses);
        refused |= !(legacy || memory.at(0).modern || memory.at(1).modern);
        refused |= self.world.grace && state.clock != Clock::Elapsed;
        refused |= self.world.fence && self.on(S::Fence) && !state.fenced;
        for object in BOTH {
            if memory.at(object).legacy {
                state.see(object);
            }
            match self.judge_object(state, index, object) {
                Judgement::Refuse => refused = true,
                Judgement::Do(todo) => state.memory(index, object).todo = todo,
            }
        }
        if refused { state.end(index) } else { state.go(index, Step::Count) }
    }

    fn judge_object(&self, state: &mut State, index: u8, object: u8) -> Judgement {
        let (fact, live) = (state.ledger.at(object), state.target.at(object));
        let target_newer = state.target_newer.at(object);
        let memory = state.memory(index, object);
        if memory.target == 0 && (memory.modern || fact.proof) {
            memory.target = live;
        }
        let Memory { source, target, young, legacy, modern, .. } = *memory;
        let orphan = !legacy && !modern;
        match (source, target) {
            (0, 0) | (_, 0) if modern => Judgement::Refuse,
            (0, _) => Judgement::Do(Todo::Nothing),
            (_, 0) if !orphan || young || (fact.proof && self.on(S::DeletedByApplication)) => {
                Judgement::Do(Todo::Nothing)
            }
            (_, 0) => Judgement::Do(if self.on(S::OrphanCopied) { Todo::Settle } else { Todo::Delete }),
            (source, target) if source == target => {
                Judgement::Do(if orphan && young { Todo::Nothing } else { Todo::Delete })
            }
            (source, target) => {
                let replaced = if fact.proof { fact.target != target } else { target_newer };
                let old = !self.on(S::SupersededOldSource) || !fact.proof || fact.source == source;
                if replaced && old {
                    let goes = !orphan && self.world.delete_superseded;
                    return Judgement::Do(if goes { Todo::Delete } else { Todo::Nothing });
                }
                if modern { Judgement::Refuse } else { Judgement::Do(Todo::Nothing) }
            }
        }
    }

    /// The proof counts once more; then orphans are copied like any other object.
    pub(crate) fn count(&self, state: &mut State, index: u8) {
        if state.any_legacy() && self.on(S::VerifyRefuses) {
            return state.end(index);
        }
        state.operator(index).round = Round::Orphans;
        next_object(state, index);
    }

    pub(crate) fn canary(&self, state: &mut State, index: u8) {
        if self.world.ignores_if_match && self.on(S::DeleteCanary) {
            return state.end(index);
        }
        state.go(index, Step::Renew);
    }

    /// Before each batch, which is one object here: the lock, and the count.
    pub(crate) fn renew(&self, state: &mut State, index: u8) {
        let next = BOTH.into_iter().find(|object| state.operators.at(index).memory.at(*object).todo == Todo::Delete);
        let Some(object) = next else { return state.end(index) };
        if (state.any_legacy() && self.on(S::Recount)) || !self.may_write(state, index) {
            return state.end(index);
        }
        state.operator(index).object = object;
        state.go(index, Step::Delete);
    }

    pub(crate) fn delete(&self, state: &mut State, index: u8) {
        let operator = state.operators.at(index);
        let object = operator.object;
        let compared = operator.memory.at(object).source;
        let conditional = self.on(S::ConditionalDelete) && !self.world.ignores_if_match;
        let source = state.source.at(object);
        if operator.expired {
            return state.end(index);
        }
        if source != 0 && (source == compared || !conditional) {
            Self::delete_source(state, object);
        }
        state.go(index, Step::RecordDelete);
    }

    pub(crate) fn delete_source(state: &mut State, object: u8) {
        let promised = |row: &&u8| {
            let row = state.rows.at(**row);
            matches!(row.path, Path::Legacy(_)) && row.late == Late::No
        };
        if BOTH.iter().any(|row| promised(&row)) {
            state.breaks(Broken::EarlyDelete);
        }
        if state.reader == Some((object, true)) {
            state.breaks(Broken::StaleReader);
        }
        *state.source.of(object) = 0;
        *state.young.of(object) = false;
        state.deleted = true;
    }

    pub(crate) fn record_delete(&self, state: &mut State, index: u8) {
        if !self.may_write(state, index) {
            return state.end(index);
        }
        let object = state.operators.at(index).object;
        let memory = state.memory(index, object);
        memory.todo = Todo::Nothing;
        let Memory { source, target, .. } = *memory;
        if source == target {
            let run = index + 1;
            *state.ledger.of(object) =
                Fact { mark: Mark::Deleted, run, pass: 0, source, target, own: false, proof: true, open: false };
        }
        state.go(index, Step::Renew);
    }
}
