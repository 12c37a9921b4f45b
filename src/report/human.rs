//! The closing summary for a person: first the verdict, then the numbers, then what to do next.

mod copy;
mod finalize;
mod refusal;
mod sheet;
mod verify;

use console::Term;

pub use copy::copy_text;
pub use finalize::finalize_text;
pub use refusal::{locked_text, refusal_text};
pub use verify::verify_text;

use super::summary::MigrateSummary;

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

/// What the one-line form did: one text for each command that it reached.
#[must_use]
pub fn migrate_text(summary: &MigrateSummary, paint: Paint) -> String {
    let copy = summary.copy.as_ref().map(|copy| ("copy", copy_text(copy, paint)));
    let verify = summary.verify.as_ref().map(|verify| ("verify", verify_text(verify, paint)));
    let finalize = summary.finalize.as_ref().map(|finalize| ("finalize", finalize_text(finalize, paint)));
    let texts = [copy, verify, finalize].into_iter().flatten();
    texts.map(|(command, text)| format!("{command}\n{text}")).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::summary::{CopySummary, VerifySummary};

    #[test]
    fn migrate_tells_what_it_reached() {
        let summary = MigrateSummary {
            copy: Some(CopySummary::default()),
            verify: Some(VerifySummary { finalizable: true, ..VerifySummary::default() }),
            finalize: None,
        };
        let text = migrate_text(&summary, Paint::Plain);
        assert!(text.starts_with("copy\nDONE: "), "{text}");
        assert!(text.contains("\n\nverify\nCLEAN: "), "{text}");
        assert!(!text.contains("\nfinalize\n"), "{text}");
    }
}
