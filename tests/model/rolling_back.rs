//! `rollback --restore-objects` as `src/run/rollingback.rs` and `src/rollback.rs` do it: journal, sources, rows, sources.

use crate::model::{Answer, Protocol};
use crate::safeguard::Safeguard as S;
use crate::state::{BOTH, Broken, Memory, Pair, Path, Round, State, Step, Todo, Unfinished};

impl Protocol {
    /// The rows that still hold what the journal says they were moved to; nothing while a delete may be on its way.
    pub(crate) fn undo_plan(&self, state: &mut State, index: u8) {
        let recent = BOTH.iter().any(|operator| state.unfinished.at(*operator) == Unfinished::Recent);
        if !self.may_write(state, index) || (recent && self.on(S::UndoWaits)) {
            return state.end(index);
        }
        let mut planned = Pair::default();
        for row in BOTH {
            let path = state.rows.at(row).path;
            if state.journal.at(row) == path && path != Path::None {
                *planned.of(row) = path;
            }
        }
        if planned == Pair::default() {
            return state.end(index);
        }
        state.operator(index).planned = planned;
        self.undo_look(state, index);
    }

    /// Which sources the rows need, and which of those are missing.
    pub(crate) fn undo_look(&self, state: &mut State, index: u8) {
        let planned = state.operators.at(index).planned;
        for object in BOTH {
            let needed = BOTH.iter().any(|row| planned.at(*row) == Path::Modern(object));
            let todo = match (needed, state.source.at(object)) {
                (false, _) => Todo::Nothing,
                (true, 0) => Todo::Settle,
                (true, _) => Todo::Mark,
            };
            let (target, fact) = (state.target.at(object), state.ledger.at(object));
            *state.memory(index, object) = Memory { todo, target, fact, ..Memory::default() };
        }
        Self::undo_next(state, index);
    }

    /// A missing source is copied back from the twin that was checked, and from no other, never over anything.
    pub(crate) fn undo_copy(&self, state: &mut State, index: u8) {
        let object = state.operators.at(index).object;
        let Memory { target, fact, .. } = state.operators.at(index).memory.at(object);
        let (there, live) = (state.source.at(object), state.target.at(object));
        let checked = live != 0 && live == target && fact.proof && fact.target == target;
        if checked && (there == 0 || !self.on(S::UndoIfNoneMatch)) {
            if there != 0 && there != live {
                state.breaks(Broken::Overwrite);
            }
            *state.source.of(object) = live;
            *state.target_newer.of(object) = false;
        }
        let todo = if state.source.at(object) == 0 { Todo::Nothing } else { Todo::Mark };
        state.memory(index, object).todo = todo;
        Self::undo_next(state, index);
    }

    fn undo_next(state: &mut State, index: u8) {
        let operator = state.operators.at(index);
        match BOTH.into_iter().find(|object| operator.memory.at(*object).todo == Todo::Settle) {
            Some(object) => {
                state.operator(index).object = object;
                state.go(index, Step::UndoCopy);
            }
            None if operator.round == Round::Third => state.end(index),
            None => state.go(index, Step::UndoMove),
        }
    }

    /// The transaction: rows and journal together. A lost connection ends the run, whether or not it was carried out.
    pub(crate) fn undo_move(&self, state: &mut State, index: u8, answer: Answer) {
        if answer == Answer::NotDone || !self.may_write(state, index) {
            return state.end(index);
        }
        for row in BOTH {
            let operator = state.operators.at(index);
            let (planned, path) = (operator.planned.at(row), state.rows.at(row).path);
            let Path::Modern(object) = planned else { continue };
            let seen = operator.memory.at(object).todo == Todo::Mark || !self.on(S::UndoSourcesSeen);
            let same = path == planned || (path != Path::None && !self.on(S::UndoCompareAndSet));
            if !seen || !same {
                continue;
            }
            if path != planned {
                state.breaks(Broken::WrongRow);
            }
            state.rows.of(row).path = Path::Legacy(object);
            *state.journal.of(row) = Path::None;
        }
        if answer == Answer::Lost {
            return state.end(index);
        }
        state.operator(index).round = Round::Third;
        state.go(index, Step::UndoLook);
    }

    /// A delete that a killed finalize had sent reaches the bucket.
    pub(crate) fn delete_arrives(state: &mut State) {
        if let Some((object, compared)) = state.flying.take()
            && state.source.at(object) == compared
        {
            Self::delete_source(state, object);
        }
    }

    /// A quarter of an hour: what was signed before it is void, and a finalize that did not beat is silent.
    pub(crate) fn quarter_of_an_hour(&self, state: &mut State) {
        for index in BOTH {
            let operator = state.operator(index);
            if operator.connected {
                continue;
            }
            operator.expired |= operator.step == Step::Delete && self.on(S::DeletesExpire);
            if state.unfinished.at(index) == Unfinished::Recent {
                *state.unfinished.of(index) = Unfinished::Silent;
            }
        }
        if self.on(S::DeletesExpire) {
            state.flying = None;
        }
    }
}
