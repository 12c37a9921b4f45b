//! S3 Inventory: the objects of a bucket as S3 wrote them down some hours or days ago.
//!
//! Its lines are candidates. S3 gathers them over hours, and what was written or deleted meanwhile may be missing or still be
//! there (AWS: "Cataloging and analyzing your data with S3 Inventory"): what matters has to be looked at again.

mod csv;
mod fetch;
mod manifest;
mod parquet;

use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use aws_sdk_s3::primitives::{DateTime, DateTimeFormat};
use futures::{Stream, StreamExt, TryStreamExt};
use tokio::sync::mpsc;

use super::{Bucket, ObjectInfo, Stores};
use crate::config::InventoryAddress;
use crate::failure::Failure;
use fetch::{data_file, open_manifest};
use manifest::{DataFile, Format, Manifest};

/// The inventories that take the place of listings.
#[derive(Clone, Debug, Default)]
pub struct Inventories {
    /// Of the legacy bucket.
    pub source: Option<Inventory>,
    /// Of the production bucket.
    pub target: Option<Inventory>,
}

impl Inventories {
    /// Reads the manifests, and finds out which bucket each of them describes.
    ///
    /// # Errors
    /// [`Failure::Usage`] for a manifest that cannot be read or used, that describes neither bucket, or one that has another
    /// one already; a plain error for a manifest that does not have its own checksum.
    pub async fn open(stores: &Stores, addresses: &[InventoryAddress]) -> Result<Self> {
        let mut all = Self::default();
        let (source, target) = (stores.source.name().to_owned(), stores.target.name().to_owned());
        for address in addresses {
            let inventory = Inventory::open(stores, address).await?;
            let described = inventory.manifest.bucket.clone();
            let sides = [(&source, &mut all.source), (&target, &mut all.target)];
            let mut fits = false;
            for (_, place) in sides.into_iter().filter(|(name, _)| **name == described) {
                if let Some(other) = place.replace(inventory.clone()) {
                    let message =
                        format!("two inventories of the bucket `{described}`: {} and {address}", other.address);
                    return Err(usage(message, "give --inventory once for each bucket, the newest one"));
                }
                fits = true;
            }
            if !fits {
                let message =
                    format!("{address} describes the bucket `{described}`, and neither `{source}` nor `{target}`");
                return Err(usage(message, "name an inventory of --source-bucket or --target-bucket, or leave it out"));
            }
        }
        Ok(all)
    }

    /// Those that there are.
    pub fn iter(&self) -> impl Iterator<Item = &Inventory> {
        self.source.iter().chain(&self.target)
    }
}

/// An inventory whose manifest was read, and is what S3 wrote.
#[derive(Clone, Debug)]
pub struct Inventory {
    address: InventoryAddress,
    manifest: Manifest,
    /// Where its data files are.
    holder: Bucket,
}

impl Inventory {
    async fn open(stores: &Stores, address: &InventoryAddress) -> Result<Self> {
        let (manifest, found) = open_manifest(stores, address).await?;
        let holder = found.named(&manifest.holder);
        Ok(Self { address: address.clone(), manifest, holder })
    }

    /// Where it is.
    #[must_use]
    pub fn address(&self) -> &InventoryAddress {
        &self.address
    }

    /// The bucket that it describes.
    #[must_use]
    pub fn bucket(&self) -> &str {
        &self.manifest.bucket
    }

    /// When S3 began to write it.
    #[must_use]
    pub fn made(&self) -> Moment {
        self.manifest.made
    }

    /// Its objects, some at a time: the latest versions, without delete markers, in no order. Each data file is fetched into an
    /// unlinked file in `directory` and has to have its checksum before a line of it is read; memory does not grow.
    ///
    /// # Errors
    /// If a file is gone, is not what the manifest says, or holds something else than lines of an inventory.
    pub fn objects(&self, directory: &Path) -> impl Stream<Item = Result<Vec<ObjectInfo>>> {
        let directory: PathBuf = directory.to_owned();
        let files = futures::stream::iter(self.manifest.files.clone());
        let fetched = files.map(move |file| {
            let (holder, directory) = (self.holder.clone(), directory.clone());
            async move { anyhow::Ok((data_file(&holder, &file, &directory).await?, file)) }
        });
        let decoded =
            fetched.buffered(FILES_AHEAD).map_ok(|(data, file)| lines(self.manifest.format.clone(), data, file));
        decoded.try_flatten()
    }
}

/// Files that are fetched at once: one is on its way while the other is read.
const FILES_AHEAD: usize = 2;
/// Lines that are handed over together.
const BATCH: usize = 1000;

/// Decodes a file on a thread of its own.
fn lines(format: Format, data: File, file: DataFile) -> impl Stream<Item = Result<Vec<ObjectInfo>>> {
    let (sender, receiver) = mpsc::channel(2);
    let failed = format!("failed to read the inventory file {}", file.key);
    let context = failed.clone();
    let reading = tokio::task::spawn_blocking(move || {
        let mut batch = Vec::with_capacity(BATCH);
        let mut take = |object| {
            batch.push(object);
            if batch.len() < BATCH {
                return true;
            }
            // Nobody listens any more once something else has failed.
            sender.blocking_send(Ok(std::mem::take(&mut batch))).is_ok()
        };
        let read = match &format {
            Format::Csv(columns) => csv::read(data, columns, &mut take),
            Format::Parquet => parquet::read(data, &mut take),
        };
        drop(sender.blocking_send(read.context(context).map(|()| batch)));
    });
    futures::stream::unfold((receiver, Some((reading, failed))), async |(mut receiver, reading)| {
        if let Some(batch) = receiver.recv().await {
            return Some((batch, (receiver, reading)));
        }
        // A thread that panicked would else look like the end of the file.
        let (reading, failed) = reading?;
        let error = reading.await.context(failed).err()?;
        Some((Err(error), (receiver, None)))
    })
}

/// A line of an inventory of all versions is of use only if it is about the latest one, and that is an object.
fn is_current(is_latest: Option<bool>, is_delete_marker: Option<bool>) -> bool {
    is_latest.unwrap_or(true) && !is_delete_marker.unwrap_or(false)
}

/// Something that the operator can change.
fn usage(message: String, hint: &str) -> anyhow::Error {
    Failure::Usage { message, hint: hint.to_owned() }.into()
}

/// A point in time, in milliseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(pub i64);

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = DateTime::from_millis(self.0).fmt(DateTimeFormat::DateTime).unwrap_or_default();
        let minutes = text.get(..16).unwrap_or(&text).replace('T', " ");
        write!(f, "{minutes} UTC")
    }
}
