//! What a worker of a shared run did, and what the holder leaves for the others.

use serde::{Deserialize, Serialize};

use super::{CopyObjects, CopyRows, CopySummary, FinalizeObjects, FinalizeSummary};

/// What one worker did of a run that it shared with others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Shared {
    /// Its number in the ledger.
    pub worker: u64,
    /// Whether it held the run at its end.
    pub holder: bool,
    /// How many ranges it took.
    pub ranges: u64,
    /// How many of them it took over from workers that were gone.
    pub taken_over: u64,
}

/// What all workers of a `copy` did together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SharedCopy {
    references: Vec<String>,
    rows: CopyRows,
    objects: CopyObjects,
    bytes_copied: u64,
    passes: u64,
}

impl SharedCopy {
    /// What the holder's summary says of all.
    #[must_use]
    pub fn of(summary: &CopySummary) -> Self {
        let CopySummary { references, rows, objects, bytes_copied, passes, .. } = summary;
        let (rows, objects) = (*rows, *objects);
        Self { references: references.clone(), rows, objects, bytes_copied: *bytes_copied, passes: *passes }
    }

    /// A worker's summary: of all, but for what `own` says of itself.
    #[must_use]
    pub fn summary(self, own: CopySummary) -> CopySummary {
        let Self { references, rows, objects, bytes_copied, passes } = self;
        CopySummary { references, rows, objects, bytes_copied, passes, ..own }
    }
}

/// What all workers of a `finalize` did together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SharedFinalize {
    finalizable: bool,
    fenced: bool,
    objects: FinalizeObjects,
}

impl SharedFinalize {
    /// What the holder's summary says of all.
    #[must_use]
    pub fn of(summary: &FinalizeSummary) -> Self {
        Self { finalizable: summary.finalizable, fenced: summary.fenced, objects: summary.objects }
    }

    /// A worker's summary: of all, but for what `own` says of itself. The report is the holder's.
    #[must_use]
    pub fn summary(self, own: FinalizeSummary) -> FinalizeSummary {
        let Self { finalizable, fenced, objects } = self;
        FinalizeSummary { finalizable, fenced, objects, ..own }
    }
}
