//! What `ledger prune` forgot, for a person.

use super::Paint;
use super::sheet::{Figure, Sheet, Tone};
use crate::report::summary::PruneSummary;
use crate::report::text::duration;

/// How much of what is gone, and what that means.
#[must_use]
pub fn prune_text(summary: &PruneSummary, paint: Paint) -> String {
    let (word, sentence) = match (&summary.through_at, summary.dry_run) {
        (None, _) => ("NOTHING TO PRUNE", "no run is that old, or what old runs have left is still needed".to_owned()),
        (Some(at), true) => ("DRY RUN", format!("a real run would forget what runs until {at} have left")),
        (Some(at), false) => ("PRUNED", format!("what runs until {at} have left is forgotten")),
    };
    let mut sheet = Sheet::new(paint, Tone::Good, word, &sentence);
    sheet.figures([
        Figure::always("lines of plans", summary.pruned.paths),
        Figure::always("deleted objects", summary.pruned.objects),
        Figure::always("rows beyond rollback", summary.pruned.row_changes),
    ]);
    let through = summary.through.map(|run| run.to_string()).unwrap_or_default();
    sheet.facts(&[("run", summary.run.to_string()), ("through run", through), ("time", duration(summary.elapsed))]);
    sheet.finish()
}
