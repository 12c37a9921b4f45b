//! Promise 6: whatever happened, once it is quiet a run of copy and one of finalize end all, or what they refuse has a reason.

use crate::model::{Action, Answer, Protocol};
use crate::state::{BOTH, Clock, Mark, Pair, State, Step};

/// More steps than any run takes.
const STEPS_MAX: u32 = 200;

impl Protocol {
    /// Whether the migration can finish from a state in which nothing is going on.
    pub(crate) fn converges(&self, state: &State) -> bool {
        let idle = BOTH.iter().all(|index| state.operators.at(*index).step == Step::Idle);
        if !idle || state.writer.is_some() || state.reader.is_some() || state.flying.is_some() {
            return true;
        }
        let mut state = State { young: Pair::default(), ..*state };
        let catchable = BOTH.map(|object| self.can_be_caught_up(&state, object));
        if !self.run(&mut state, Action::Copy(0)) {
            return false;
        }
        let differs = |object: u8| Self::differs(&state, object);
        if BOTH.into_iter().zip(catchable).any(|(object, catchable)| catchable && differs(object)) {
            return false;
        }
        if self.has_reason(&state) {
            return true;
        }
        state.fenced = self.world.fence;
        // The first one starts the grace clock.
        let ended = self.run(&mut state, Action::Finalize(0));
        state.clock = Clock::Elapsed;
        ended && self.run(&mut state, Action::Finalize(0)) && self.is_done(&state)
    }

    /// Takes a run to its end; false if it does not end.
    fn run(&self, state: &mut State, start: Action) -> bool {
        *state = self.after(state, start);
        for _ in 0..STEPS_MAX {
            if state.operators.at(0).step == Step::Idle {
                return true;
            }
            *state = self.after(state, Action::Step(0, Answer::Given));
        }
        false
    }

    /// Whether a run that was cut off left our own copy there, whose source may be newer: nobody has to decide about it.
    fn can_be_caught_up(&self, state: &State, object: u8) -> bool {
        let (fact, target) = (state.ledger.at(object), state.target.at(object));
        fact.open && fact.own && fact.source != 0 && fact.target == target && !self.world.ignores_replace
    }

    fn differs(state: &State, object: u8) -> bool {
        let (source, target) = (state.source.at(object), state.target.at(object));
        state.modern_row(object) && source != 0 && source != target
    }

    /// Whether copy or verify name something that a person has to decide.
    fn has_reason(&self, state: &State) -> bool {
        let rows = BOTH.iter().any(|object| state.legacy_row(*object) || state.modern_row(*object));
        let object_has_one = |object: u8| {
            let target = state.target.at(object);
            let stuck = state.legacy_row(object) && state.ledger.at(object).mark == Mark::Stuck;
            let broken = state.modern_row(object) && target == 0;
            stuck || broken || Self::differs(state, object)
        };
        !rows || self.world.ignores_if_match || BOTH.into_iter().any(object_has_one)
    }

    /// No legacy row is left, and no source but those that stay on purpose.
    fn is_done(&self, state: &State) -> bool {
        let stays = |object: u8| {
            let (source, target) = (state.source.at(object), state.target.at(object));
            let deleted_by_application = target == 0 && state.ledger.at(object).proof;
            source == 0 || deleted_by_application || (target != 0 && target != source)
        };
        !state.any_legacy() && state.broken.is_none() && BOTH.into_iter().all(stays)
    }
}
