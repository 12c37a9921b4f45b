//! The closing summary for a person: first the verdict, then the numbers, then what to do next.

mod copy;
mod explain;
mod fence;
mod finalize;
mod prune;
mod resolve;
mod rollback;
mod sheet;
mod status;
mod verify;

use console::Term;
use indicatif::HumanCount;

use super::summary::Shared;
use super::text::counted;

pub use copy::copy_text;
pub use explain::explain_text;
pub use fence::fence_text;
pub use finalize::finalize_text;
pub use prune::prune_text;
pub use resolve::resolve_text;
pub use rollback::rollback_text;
pub(super) use sheet::{Figure, Tone, requests};
pub use status::status_text;
pub use verify::verify_text;
pub(super) use verify::{object_figures, row_figures, verdict};

/// Whether a text may carry colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paint {
    /// Letters only.
    Plain,
    /// With colours, which never carry a meaning of their own.
    Colored,
}

impl Paint {
    /// What `term` can show: no colours off a terminal, on a dumb one, or under `NO_COLOR`.
    #[must_use]
    pub fn of(term: &Term) -> Self {
        if term.features().colors_supported() { Self::Colored } else { Self::Plain }
    }
}

/// A text without the next command at its end: for one that is followed by that command anyway.
#[must_use]
pub fn without_next(text: &str) -> &str {
    text.rsplit_once("\nNext: ").map_or(text, |(before, _)| before)
}

/// What this worker did of a shared run.
fn part(shared: Shared) -> String {
    let ranges = counted(shared.ranges, "range", "ranges");
    let taken_over = match shared.taken_over {
        0 => String::new(),
        taken_over => format!(" ({} taken over)", HumanCount(taken_over)),
    };
    let holds = if shared.holder { ", which held the run" } else { "" };
    format!("{}{holds}: {ranges}{taken_over}; the requests are its own", shared.worker)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::summary::CopySummary;

    #[test]
    fn a_command_that_follows_by_itself_is_not_suggested() {
        let text = copy_text(&CopySummary::default(), Paint::Plain);
        assert!(text.contains("\nNext: avatarMigrate verify"), "{text}");
        assert!(!without_next(&text).contains("Next: "), "{text}");
        assert_eq!(without_next("DONE\n"), "DONE\n");
    }
}
