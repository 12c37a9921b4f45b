//! Which statuses matter most, what each means, and how often each was found.

use crate::finding::Status;

/// All statuses, what harms users first.
pub(super) const BY_WEIGHT: [Status; 14] = [
    Status::MissingTarget,
    Status::Mismatch,
    Status::SourceChanged,
    Status::Conflict,
    Status::RowConflict,
    Status::MissingSource,
    Status::Suspect,
    Status::UnlistedReference,
    Status::Legacy,
    Status::Orphan,
    Status::DeletedByApplication,
    Status::Superseded,
    Status::OutOfScope,
    Status::Migrated,
];

/// Where a status stands in [`BY_WEIGHT`].
pub(super) fn weight(status: Status) -> usize {
    BY_WEIGHT.iter().position(|one| *one == status).unwrap_or(BY_WEIGHT.len() - 1)
}

/// How a status is meant: also the class of its mark in the style sheet.
pub(super) fn tone(status: Status) -> &'static str {
    match status {
        Status::MissingTarget
        | Status::Mismatch
        | Status::SourceChanged
        | Status::Conflict
        | Status::RowConflict
        | Status::MissingSource
        | Status::Suspect
        | Status::UnlistedReference => "bad",
        Status::Legacy => "work",
        Status::Orphan | Status::DeletedByApplication | Status::Superseded | Status::OutOfScope => "note",
        Status::Migrated => "good",
    }
}

/// What it means, in one sentence.
pub(super) fn meaning(status: Status) -> &'static str {
    match status {
        Status::MissingTarget => "The row is modern and its object is missing: users see a broken picture.",
        Status::Mismatch => "The row is modern, and its object is no copy of the source.",
        Status::SourceChanged => "The source was written after it was copied.",
        Status::Conflict => "The row is legacy, and other bytes lie where its object would go.",
        Status::RowConflict => "A unique key forbids the new path.",
        Status::MissingSource => "The row is legacy and its object does not exist.",
        Status::Suspect => "The row seems to mean a legacy object, in a form that no mapping covers.",
        Status::UnlistedReference => "A legacy path in a column that --reference leaves out.",
        Status::Legacy => "The row is legacy and can move.",
        Status::Orphan => "An object of the legacy bucket that no row names.",
        Status::DeletedByApplication => "An orphan whose checked copy the application deleted.",
        Status::Superseded => "The application replaced the picture since: fine.",
        Status::OutOfScope => "Legacy prefix, but another kind of name: never touched.",
        Status::Migrated => "The row is modern and resolves.",
    }
}

/// Lines of the report by status.
#[derive(Clone, Debug, Default)]
pub(super) struct StatusCounts([u64; BY_WEIGHT.len()]);

impl StatusCounts {
    pub(super) fn add(&mut self, status: Status) {
        if let Some(count) = self.0.get_mut(weight(status)) {
            *count += 1;
        }
    }

    pub(super) fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// Those that were found, the weightiest first.
    pub(super) fn found(&self) -> impl Iterator<Item = (Status, u64)> {
        BY_WEIGHT.into_iter().zip(self.0).filter(|(_, count)| *count > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::csv::STATUSES;

    #[test]
    fn every_status_has_its_weight_and_is_counted() {
        let mut counts = StatusCounts::default();
        for status in STATUSES {
            counts.add(status);
        }
        let found: Vec<(Status, u64)> = counts.found().collect();
        assert_eq!(found, BY_WEIGHT.map(|status| (status, 1)));
        assert_eq!(counts.total(), STATUSES.len() as u64);
        // What blocks finalize comes first.
        assert!(BY_WEIGHT.iter().is_sorted_by_key(|status| !status.blocks()));
    }
}
