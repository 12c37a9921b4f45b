//! Every in-scope object of a bucket, listed afresh or read from an inventory, and sorted on local disk.

use anyhow::Result;
use futures::StreamExt;

use super::covered::Covered;
use super::item::{ObjectItem, Place};
use super::ranges::{Piece, list_all};
use crate::config::Config;
use crate::pace::Pace;
use crate::path::{KeyMapping, Mappings, ObjectKey};
use crate::spool::{Sorted, Sorter};
use crate::store::{Inventory, Moment, ObjectInfo, ReadObjects, StoreError};

/// Which of the two buckets is listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Source,
    Target,
}

impl Side {
    fn prefix(self, keys: &KeyMapping) -> &str {
        match self {
            Self::Source => &keys.legacy,
            Self::Target => &keys.modern,
        }
    }
}

/// The objects of a bucket.
pub(super) struct Objects {
    /// In the order of their places.
    pub(super) sorted: Sorted<ObjectItem>,
    pub(super) shown: Shown,
}

/// What showed them.
pub(super) struct Shown {
    /// How many keys of the listing come before each of its ranges.
    starts: Vec<u64>,
    /// When it was so, if an inventory says it: then these are candidates.
    pub(super) as_of: Option<Moment>,
}

impl Shown {
    /// The how-manieth key of its listing an object is, out of scope or not.
    pub(super) fn position(&self, item: &ObjectItem) -> u64 {
        let start = usize::try_from(item.range).ok().and_then(|range| self.starts.get(range)).copied();
        start.unwrap_or_default() + item.nth
    }
}

/// Every in-scope object of a bucket, from its inventory if there is one.
pub(super) async fn scan_bucket(
    (bucket, inventory): (&impl ReadObjects, Option<&Inventory>),
    side: Side,
    config: &Config,
    pace: &Pace,
    listed: impl Fn(u64),
) -> Result<Objects> {
    match inventory {
        Some(inventory) => read_inventory(inventory, bucket, side, config, listed).await,
        None => list_bucket(bucket, side, config, pace, listed).await,
    }
}

/// Lists every in-scope object of a bucket, sorted by place: the order of the listing itself is not relied on.
async fn list_bucket(
    bucket: &impl ReadObjects,
    side: Side,
    config: &Config,
    pace: &Pace,
    listed: impl Fn(u64),
) -> Result<Objects> {
    let mappings = &config.mappings;
    let mut sorter = Sorter::new(&config.temp_dir);
    let (mut starts, mut keys_before) = (Vec::new(), 0);
    for keys in mappings.key_mappings() {
        let prefix = side.prefix(keys);
        let ranges_before = starts.len();
        let take = |piece: Piece| {
            listed(u64::try_from(piece.objects.len())?);
            let range = u32::try_from(ranges_before + piece.range)?;
            for (object, nth) in piece.objects.iter().zip(piece.nth + 1..) {
                if let Some(item) = in_scope(mappings, side, object, (range, nth)) {
                    let weight = item.weight();
                    sorter.push(item, weight)?;
                }
            }
            anyhow::Ok(())
        };
        let found = list_all(bucket, prefix, pace, take).await?;
        starts.extend(found.iter().map(|start| start + keys_before));
        keys_before += found.last().copied().unwrap_or_default();
    }
    Ok(Objects { sorted: sorter.finish()?, shown: Shown { starts, as_of: None } })
}

/// Reads every in-scope object of an inventory.
async fn read_inventory(
    inventory: &Inventory,
    bucket: &impl ReadObjects,
    side: Side,
    config: &Config,
    listed: impl Fn(u64),
) -> Result<Objects> {
    let mappings = &config.mappings;
    let mut sorter = Sorter::new(&config.temp_dir);
    let mut covered = Covered::new(mappings.key_mappings().iter().map(|keys| side.prefix(keys)));
    let mut read = 0;
    let mut lines = std::pin::pin!(inventory.objects(&config.temp_dir));
    while let Some(objects) = lines.next().await {
        let objects = objects?;
        listed(u64::try_from(objects.len())?);
        for object in objects {
            covered.note(&object.key);
            read += 1;
            if let Some(item) = in_scope(mappings, side, &object, (0, read)) {
                let weight = item.weight();
                sorter.push(item, weight)?;
            }
        }
    }
    covered.refuse_gaps(inventory, bucket).await?;
    Ok(Objects { sorted: sorter.finish()?, shown: Shown { starts: Vec::new(), as_of: Some(inventory.made()) } })
}

fn in_scope(mappings: &Mappings, side: Side, object: &ObjectInfo, at: (u32, u64)) -> Option<ObjectItem> {
    if !mappings.pattern().matches(object.key.last_segment()) {
        return None;
    }
    let place = match side {
        Side::Source => Place::of_source(mappings, &object.key),
        Side::Target => Place::of_target(mappings, &object.key),
    };
    place.map(|place| ObjectItem::new(place, object, at))
}

/// What a bucket holds under a key that its listing did not show: absence in a list is no proof.
pub(super) async fn head(bucket: &impl ReadObjects, key: &ObjectKey) -> Result<Option<ObjectInfo>, StoreError> {
    // Boxed, as most groups that are judged side by side ask for nothing.
    Ok(Box::pin(bucket.head(key)).await?.map(|details| details.info))
}
