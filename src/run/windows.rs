//! The objects of a run in windows: what is looked at, copied and written to the ledger together, several windows at once.

use std::sync::Arc;

use anyhow::Result;
use futures::Stream;

use crate::copy::WINDOW;
use crate::database::{KeyRange, Ledger, LedgerObject, ObjectState};
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

/// Reads those of a range from the ledger, a window at a time in key order, each when it is asked for.
pub(super) fn windows(
    ledger: &Ledger,
    objects: Objects,
    range: KeyRange,
) -> impl Stream<Item = Result<Vec<LedgerObject>>> {
    let KeyRange { after, through } = range;
    let through = through.map(Arc::new);
    futures::stream::try_unfold((after, 0), move |(after, read): (Option<ObjectKey>, u64)| {
        let through = through.clone();
        async move {
            let after = after.as_ref();
            let mut window = match objects {
                Objects::Planned { pass, at_most } => {
                    let left = usize::try_from(at_most - read).unwrap_or(WINDOW);
                    ledger.objects_planned(pass, after, left.min(WINDOW)).await?
                }
                Objects::OfPass(pass) => ledger.objects_of_pass(pass, after, WINDOW).await?,
                Objects::Verified => ledger.objects(ObjectState::Verified, after, WINDOW).await?,
                Objects::LeftBy(run, state) => ledger.objects_of_run(run, state, after, WINDOW).await?,
            };
            // What follows the range ends with it: it is of another one.
            window.retain(|object| through.as_ref().is_none_or(|through| object.source <= **through));
            let read = read + u64::try_from(window.len())?;
            let last = window.last().map(|object| object.source.clone());
            Ok(last.map(|last| (window, (Some(last), read))))
        }
    })
}
