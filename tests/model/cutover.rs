//! The cutover's transaction as `src/database/journal.rs` does it.

use crate::copying::object_of;
use crate::model::{Answer, Protocol};
use crate::safeguard::Safeguard as S;
use crate::state::{BOTH, Broken, Late, Mark, Pair, Path, State, Step};

impl Protocol {
    /// Journal lines of the rows that still hold a planned path of a verified object; the rows are locked from here on.
    pub(crate) fn journal(&self, state: &mut State, index: u8) {
        if !self.may_write(state, index) {
            return state.end(index);
        }
        let mut journaled = Pair::default();
        for row in BOTH {
            // Without compare and set, what the plan met is taken for what the row holds.
            let planned = state.operators.at(index).planned.at(row);
            let path = if self.on(S::CompareAndSet) { state.rows.at(row).path } else { planned };
            let verified = |object| {
                let (fact, pass) = (state.ledger.at(object), state.operators.at(index).passes);
                let planned = fact.pass == pass || !self.on(S::PlannedInThisPass);
                fact.mark == Mark::Verified && fact.run == index + 1 && planned
            };
            *journaled.of(row) = object_of(path).is_some_and(verified) && state.rows.at(row).path != Path::None;
            if journaled.at(row) && self.on(S::CompareAndSet) {
                *state.operator(index).planned.of(row) = path;
            }
        }
        let any = journaled.at(0) || journaled.at(1);
        let operator = state.operator(index);
        (operator.journaled, operator.updated) = (journaled, Pair::default());
        state.go(index, if any { Step::Update } else { Step::ThirdLook });
    }

    /// The UPDATE, row by row; the server may refuse it in the middle (1205), which undoes the statement for that row only.
    pub(crate) fn update(&self, state: &mut State, index: u8, answer: Answer) {
        let operator = state.operators.at(index);
        if self.on(S::LockRecheck) && !operator.connected {
            return state.end(index);
        }
        if answer == Answer::NotDone {
            return state.go(index, if self.on(S::RollBack) { Step::Journal } else { Step::Commit });
        }
        let next = BOTH.into_iter().find(|row| operator.journaled.at(*row) && !operator.updated.at(*row));
        if let Some(row) = next {
            *state.operator(index).updated.of(row) = true;
        }
        let operator = state.operators.at(index);
        if operator.updated == operator.journaled {
            state.go(index, Step::Commit);
        }
    }

    /// COMMIT. A lost answer ends the run, whether or not it was carried out: the connection is lost.
    pub(crate) fn commit(&self, state: &mut State, index: u8, answer: Answer) {
        let operator = state.operators.at(index);
        if answer == Answer::NotDone || (self.on(S::LockRecheck) && !operator.connected) {
            return state.end(index);
        }
        if operator.updated != operator.journaled {
            state.breaks(Broken::HalfCutover);
        }
        for row in BOTH {
            let planned = operator.planned.at(row);
            let Some(object) = object_of(planned).filter(|_| operator.updated.at(row)) else { continue };
            if state.rows.at(row).path != planned {
                state.breaks(Broken::WrongRow);
            }
            let target = state.target.at(object);
            // A row whose picture the application deleted by another row of the same path has no newest bytes any more.
            let promised = state.rows.at(row).late != Late::Excused;
            if promised && target != 0 && target < operator.seen.at(object) {
                state.breaks(Broken::StaleCutover);
            }
            state.rows.of(row).path = Path::Modern(object);
            if self.world.rollback {
                *state.journal.of(row) = Path::Modern(object);
            }
            if state.gap.at(object) {
                state.rows.of(row).late = Late::Excused;
            }
        }
        let sources = state.source;
        let operator = state.operator(index);
        (operator.moved, operator.committed, operator.seen) = (true, true, sources);
        if answer == Answer::Lost {
            return state.end(index);
        }
        let operator = state.operator(index);
        (operator.journaled, operator.updated) = (Pair::default(), Pair::default());
        state.go(index, Step::ThirdLook);
    }
}
