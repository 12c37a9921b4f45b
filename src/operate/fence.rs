//! The plan of a fence: which references lack it, by which statements they get it, and what that means for the tables.

use std::collections::HashMap;
use std::time::Duration;

use crate::database::{Fence, FenceKind, FenceSizes};
use crate::report::summary::{FenceForecast, FencedReference};

/// Measured on a million rows of the classic table.
const NANOSECONDS_A_ROW: u64 = 2000;

/// A reference with the fence that it should have, and how it stands.
#[derive(Clone, Debug)]
pub struct Guarded {
    /// The fence.
    pub fence: Fence,
    /// What guards it now.
    pub kind: Option<FenceKind>,
    /// Its legacy rows.
    pub legacy_rows: u64,
}

impl Guarded {
    /// As the summary shows it.
    #[must_use]
    pub fn shown(&self) -> FencedReference {
        FencedReference {
            reference: self.fence.column.to_string(),
            fenced_by: self.kind.map(|kind| kind.word().to_owned()),
            legacy_rows: self.legacy_rows,
        }
    }
}

/// The fences that are missing, table by table: a table is copied once for all of its own.
#[must_use]
pub fn missing(references: &[Guarded]) -> Vec<Vec<&Fence>> {
    let mut tables: Vec<Vec<&Fence>> = Vec::new();
    for fence in references.iter().filter(|reference| reference.kind.is_none()).map(|reference| &reference.fence) {
        match tables.iter_mut().find(|of| of.iter().any(|other| other.column.table == fence.column.table)) {
            Some(of) => of.push(fence),
            None => tables.push(vec![fence]),
        }
    }
    tables
}

/// What copying the tables of `missing` fences would mean; `None` if none is copied.
#[must_use]
pub fn forecast(
    missing: &[Vec<&Fence>],
    kind: FenceKind,
    sizes: &HashMap<String, FenceSizes>,
) -> Option<FenceForecast> {
    if missing.is_empty() || kind == FenceKind::Triggers {
        return None;
    }
    let tables = missing.iter().filter_map(|of| of.first()).filter_map(|fence| sizes.get(&fence.column.table));
    let all = tables.fold(FenceSizes::default(), |all, table| FenceSizes {
        rows: all.rows + table.rows,
        bytes: all.bytes + table.bytes,
    });
    let elapsed = Duration::from_nanos(all.rows.saturating_mul(NANOSECONDS_A_ROW));
    Some(FenceForecast { rows: all.rows, bytes: all.bytes, elapsed })
}
