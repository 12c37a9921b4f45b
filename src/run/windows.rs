//! The objects of a run in windows: what is looked at, copied and written to the ledger together, several windows at once.

use anyhow::Result;
use futures::Stream;

use crate::copy::WINDOW;
use crate::database::{Ledger, LedgerObject, ObjectState};
use crate::path::ObjectKey;

/// Windows under way at once, so that the pace always finds work while one is listed, confirmed or written down.
pub(super) const AT_ONCE: usize = 3;

/// Which objects of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Objects {
    /// Those that a pass is to copy, at most so many of them.
    Planned { pass: u32, at_most: u64 },
    /// Those that this pass has planned and verified.
    OfPass(u32),
    /// All that the run has verified.
    Verified,
    /// Those that an earlier run left in a state.
    LeftBy(u64, ObjectState),
}

/// Reads them from the ledger, a window at a time in key order, each when it is asked for.
pub(super) fn windows(ledger: &Ledger, objects: Objects) -> impl Stream<Item = Result<Vec<LedgerObject>>> {
    futures::stream::try_unfold((None, 0), move |(after, read): (Option<ObjectKey>, u64)| async move {
        let after = after.as_ref();
        let window = match objects {
            Objects::Planned { pass, at_most } => {
                let left = usize::try_from(at_most - read).unwrap_or(WINDOW);
                ledger.objects_planned(pass, after, left.min(WINDOW)).await?
            }
            Objects::OfPass(pass) => ledger.objects_of_pass(pass, after, WINDOW).await?,
            Objects::Verified => ledger.objects(ObjectState::Verified, after, WINDOW).await?,
            Objects::LeftBy(run, state) => ledger.objects_of_run(run, state, after, WINDOW).await?,
        };
        let read = read + u64::try_from(window.len())?;
        let last = window.last().map(|object| object.source.clone());
        Ok(last.map(|last| (window, (Some(last), read))))
    })
}
