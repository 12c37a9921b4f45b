//! The last look before a delete, at evidence that is not of this moment.
//!
//! Evidence may come from an inventory, which is hours or days old, or from another time or machine. Then both sides of a batch
//! are looked at, and what is not as it was compared is kept.

use std::collections::BTreeSet;

use anyhow::{Context, Result};

use crate::check::Deletable;
use crate::copy::look_closely;
use crate::path::ObjectKey;
use crate::store::{DeleteItem, ReadObjects};

/// Looks at both sides of a batch, by listing or by HEAD, whichever takes fewer requests. Gives what still holds, source and
/// target both having the ETags that were compared, and how many do not. A source that is gone is none of them.
///
/// # Errors
/// If a bucket cannot be read: nothing of the batch is proved then.
pub async fn still_true<R: ReadObjects>(
    (source, target): (&R, &R),
    batch: Vec<Deletable>,
) -> Result<(Vec<Deletable>, u64)> {
    let items: Vec<DeleteItem> = batch.iter().filter_map(Deletable::item).collect();
    let sources: BTreeSet<&ObjectKey> = items.iter().map(|item| &item.key).collect();
    let targets: BTreeSet<&ObjectKey> = batch.iter().map(Deletable::target).collect();
    let (sources, targets): (Vec<_>, Vec<_>) = (sources.into_iter().collect(), targets.into_iter().collect());
    let looked = futures::future::try_join(look_closely(source, &sources), look_closely(target, &targets)).await;
    let (ours, theirs) = looked.context("failed to look at both sides before a delete")?;
    let there = batch.into_iter().filter(|evidence| evidence.item().is_some_and(|item| ours.contains_key(&item.key)));
    let (holds, changed): (Vec<Deletable>, Vec<Deletable>) = there.partition(|evidence| {
        let source = evidence.item().and_then(|item| ours.get(&item.key));
        evidence.still_holds(source, theirs.get(evidence.target()))
    });
    Ok((holds, u64::try_from(changed.len())?))
}
