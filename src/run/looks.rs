//! The second look, before the rows move, and the third one after COMMIT: what is not as it was checked any more.

use std::collections::HashSet;

use anyhow::Result;
use futures::TryStreamExt;

use super::Session;
use super::windows::{Objects, windows};
use crate::copy::{sources_that_changed, targets_that_went};
use crate::database::{KeyRange, Ledger, LedgerObject};
use crate::path::ObjectKey;
use crate::store::{StoreError, Stores};

/// Windows that are looked at together: each waits for nothing but two listings, one after the other.
const WINDOWS_AT_ONCE: usize = 6;

/// Which look it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// Before the rows of this pass move: its objects, on both sides.
    BeforeCutover(u32),
    /// After COMMIT: all objects of the run. What is in production by then belongs to the application.
    AfterCutover,
}

impl Look {
    /// What it is called where its progress is shown.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::BeforeCutover(_) => BEFORE_CUTOVER,
            Self::AfterCutover => AFTER_CUTOVER,
        }
    }
}

pub(super) const BEFORE_CUTOVER: &str = "look before the cutover";
pub(super) const AFTER_CUTOVER: &str = "look after the cutover";

/// Verified objects of a range that are not as they were checked any more; `looked` is told how many each window holds.
pub(super) async fn changed(
    session: &Session,
    ledger: &Ledger,
    look: Look,
    range: KeyRange,
    looked: &(dyn Fn(u64) + Sync),
) -> Result<Vec<LedgerObject>> {
    let objects = match look {
        Look::BeforeCutover(pass) => Objects::OfPass(pass),
        Look::AfterCutover => Objects::Verified,
    };
    let looks = windows(ledger, objects, range).map_ok(|window| async {
        session.interrupted()?;
        let objects = u64::try_from(window.len())?;
        let changed = match look {
            Look::BeforeCutover(_) => on_both_sides(&session.stores, window).await?,
            Look::AfterCutover => written_since(&session.stores, &window).await?,
        };
        looked(objects);
        Ok(changed)
    });
    looks.try_buffered(WINDOWS_AT_ONCE).try_concat().await
}

async fn on_both_sides(stores: &Stores, window: Vec<LedgerObject>) -> Result<Vec<LedgerObject>, StoreError> {
    let mut changed = sources_that_changed(&stores.source, &window).await?;
    // Last, so that as little as possible lies between this look and the cutover.
    let gone = targets_that_went(&stores.target, &window).await?;
    let known = keys(&changed);
    changed.extend(gone.into_iter().filter(|object| !known.contains(&object.source)));
    Ok(changed)
}

/// Those of the checked objects of a window whose source was written since, and whose copy is still there: a copy that the
/// application has deleted is not made again.
pub(super) async fn written_since(stores: &Stores, window: &[LedgerObject]) -> Result<Vec<LedgerObject>, StoreError> {
    let mut written = sources_that_changed(&stores.source, window).await?;
    let gone = keys(&targets_that_went(&stores.target, &written).await?);
    written.retain(|object| !gone.contains(&object.source));
    Ok(written)
}

fn keys(objects: &[LedgerObject]) -> HashSet<ObjectKey> {
    objects.iter().map(|object| object.source.clone()).collect()
}
