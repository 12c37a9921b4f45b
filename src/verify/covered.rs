//! Whether an inventory covers the keys of the migration: its configuration may hold a filter, which no manifest tells.
//!
//! A filter is a prefix, so that what it lets through is one stretch of keys in byte order. What it leaves out of a place lies
//! before the first or after the last key that the inventory has there, and one page of a listing shows whether there is
//! anything.

use anyhow::Result;

use crate::failure::Failure;
use crate::path::ObjectKey;
use crate::store::{Inventory, ObjectInfo, ReadObjects};

/// What was written so shortly before an inventory may be missing from it, in milliseconds: S3 promises no more than that its
/// lists become right in the end.
const GATHERING_MS: i64 = 3_600_000;

/// The first and the last key of an inventory below each prefix.
pub(super) struct Covered<'a>(Vec<Stretch<'a>>);

struct Stretch<'a> {
    prefix: &'a str,
    ends: Option<(ObjectKey, ObjectKey)>,
}

impl<'a> Covered<'a> {
    pub(super) fn new(prefixes: impl Iterator<Item = &'a str>) -> Self {
        Self(prefixes.map(|prefix| Stretch { prefix, ends: None }).collect())
    }

    /// Takes note of a key of the inventory.
    pub(super) fn note(&mut self, key: &ObjectKey) {
        for stretch in self.0.iter_mut().filter(|stretch| key.as_str().starts_with(stretch.prefix)) {
            match &mut stretch.ends {
                None => stretch.ends = Some((key.clone(), key.clone())),
                Some((first, _)) if key < first => *first = key.clone(),
                Some((_, last)) if key > last => *last = key.clone(),
                Some(_) => {}
            }
        }
    }

    /// Refuses an inventory that leaves out what was there long before it was made.
    ///
    /// # Errors
    /// [`Failure::Usage`] with the key; what the bucket said if it cannot be listed.
    pub(super) async fn refuse_gaps(&self, inventory: &Inventory, bucket: &impl ReadObjects) -> Result<()> {
        for Stretch { prefix, ends } in &self.0 {
            let left_out = |object: &ObjectInfo, before: bool| {
                let outside = match ends {
                    Some((first, _)) if before => object.key < *first,
                    Some((_, last)) => object.key > *last,
                    None => true,
                };
                outside && object.modified_ms + GATHERING_MS < inventory.made().0
            };
            let page = bucket.list(prefix, None, None).await?;
            let mut missing = page.objects.into_iter().find(|object| left_out(object, true));
            if let (None, Some((_, last))) = (&missing, ends) {
                let page = bucket.list(prefix, Some(last), None).await?;
                missing = page.objects.into_iter().find(|object| left_out(object, false));
            }
            if let Some(ObjectInfo { key, .. }) = missing {
                let (address, bucket) = (inventory.address(), inventory.bucket());
                let message = format!(
                    "the inventory {address} does not cover `{prefix}`: it lacks s3://{bucket}/{key}, which is older than it"
                );
                let hint = "its configuration has a filter for another prefix: name one that covers the prefix, or leave \
                            --inventory out, and the bucket is listed";
                return Err(Failure::Usage { message, hint: hint.to_owned() }.into());
            }
        }
        Ok(())
    }
}
