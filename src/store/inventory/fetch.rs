//! Fetches what an inventory is made of, and believes only what has its checksum.

use std::fs::File;
use std::io::{Seek, Write};
use std::path::Path;

use anyhow::{Context, Result, bail};
use aws_sdk_s3::primitives::ByteStream;
use md5::{Digest, Md5};

use super::manifest::{DataFile, Manifest, parse};
use super::usage;
use crate::config::InventoryAddress;
use crate::store::failure::Failure;
use crate::store::patience::{ATTEMPTS_MAX, pause_before};
use crate::store::{Bucket, StoreError, StoreErrorKind, Stores};

/// The manifest of some 300,000 data files, which hold more objects than any bucket.
const MANIFEST_BYTES_MAX: usize = 64 << 20;

/// Reads the manifest of an inventory over the connection that can, and gives the bucket that holds it.
///
/// The bucket may be a third one. S3 puts the name of the bucket that is described into the key ("Locating your inventory
/// list"): the side with this name is tried first, else the target's.
pub(super) async fn open_manifest(stores: &Stores, address: &InventoryAddress) -> Result<(Manifest, Bucket)> {
    let sides = [&stores.target, &stores.source].map(|side| side.named(&address.bucket));
    let [first, second] = if address.names(stores.source.name()) {
        let [target, source] = sides;
        [source, target]
    } else {
        sides
    };
    let (text, holder) = match bytes(&first, &address.key).await {
        Ok(text) => (text, first),
        Err(error) if error.kind.is_of_identity() => match bytes(&second, &address.key).await {
            Ok(text) => (text, second),
            Err(_) => return Err(unreadable(&error)),
        },
        Err(error) => return Err(unreadable(&error)),
    };
    let Some(text) = text else {
        let message = format!("the inventory {address} does not exist");
        return Err(usage(message, "name the manifest.json of one that S3 has written (aws s3 ls finds it)"));
    };
    refuse_damaged(&holder, address, &text).await?;
    Ok((parse(address, &text)?, holder))
}

/// `manifest.checksum` stands beside the manifest, and holds its MD5 in hexadecimal.
async fn refuse_damaged(holder: &Bucket, address: &InventoryAddress, manifest: &[u8]) -> Result<()> {
    let key = format!("{}checksum", address.key.strip_suffix("json").unwrap_or(&address.key));
    let Some(sum) = bytes(holder, &key).await.map_err(|error| unreadable(&error))? else {
        let message = format!("there is no manifest.checksum beside {address}");
        return Err(usage(message, "S3 writes it last: wait until the inventory is complete, or name another one"));
    };
    let (said, is) = (String::from_utf8_lossy(&sum).trim().to_ascii_lowercase(), hex(&Md5::digest(manifest)));
    if said != is {
        bail!("{address} was damaged: its MD5 is {is}, and manifest.checksum says {said}; name another inventory");
    }
    Ok(())
}

/// Fetches a data file into an unlinked file in `directory`.
pub(super) async fn data_file(holder: &Bucket, file: &DataFile, directory: &Path) -> Result<File> {
    let subject = holder.subject(&file.key);
    let mut attempt = 1;
    loop {
        match data_file_once(holder, file, directory).await {
            Ok(Some(file)) => return Ok(file),
            Ok(None) => {
                let hint = "it may have expired (lifecycle rules): name a newer inventory";
                return Err(usage(format!("the inventory's data file {subject} does not exist"), hint));
            }
            Err(Unfetched::Failed(failure)) if failure.is_transient() && attempt < ATTEMPTS_MAX => {
                pause_before(attempt).await;
            }
            Err(Unfetched::Failed(failure)) => return Err(failure.into_error("GetObject", subject).into()),
            Err(Unfetched::Wrong(why)) => {
                bail!("the inventory's data file {subject} was damaged: {why}; name another inventory");
            }
            Err(Unfetched::Disk(error)) => {
                return Err(error).context("failed to write a temporary file (--temp-dir): is the disk full?");
            }
        }
        attempt += 1;
    }
}

/// Why there is no file.
enum Unfetched {
    Failed(Failure),
    Wrong(String),
    Disk(std::io::Error),
}

async fn data_file_once(holder: &Bucket, file: &DataFile, directory: &Path) -> Result<Option<File>, Unfetched> {
    let Some(mut body) = get(holder, &file.key).await.map_err(Unfetched::Failed)? else { return Ok(None) };
    let mut fetched = tempfile::tempfile_in(directory).map_err(Unfetched::Disk)?;
    let (mut hasher, mut size) = (Md5::new(), 0);
    while let Some(chunk) = body.next().await {
        let chunk = chunk.map_err(|error| Unfetched::Failed(Failure::broken_body(&error)))?;
        size += chunk.len() as u64;
        hasher.update(&chunk);
        fetched.write_all(&chunk).map_err(Unfetched::Disk)?;
    }
    let is = hex(&hasher.finalize());
    if size != file.size || !is.eq_ignore_ascii_case(&file.md5) {
        let (said, bytes) = (&file.md5, file.size);
        return Err(Unfetched::Wrong(format!(
            "it has {size} bytes with the MD5 {is}, and the manifest says {bytes} and {said}"
        )));
    }
    fetched.rewind().map_err(Unfetched::Disk)?;
    Ok(Some(fetched))
}

/// A whole small object; `None` if it does not exist.
async fn bytes(bucket: &Bucket, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
    let read = async {
        let Some(mut body) = get(bucket, key).await? else { return Ok(None) };
        let mut bytes = Vec::new();
        while let Some(chunk) = body.next().await {
            bytes.extend_from_slice(&chunk.map_err(|error| Failure::broken_body(&error))?);
            if bytes.len() > MANIFEST_BYTES_MAX {
                return Err(Failure::unusable_answer("it is too large for a manifest"));
            }
        }
        Ok(Some(bytes))
    };
    read.await.map_err(|failure: Failure| failure.into_error("GetObject", bucket.subject(key)))
}

async fn get(bucket: &Bucket, key: &str) -> Result<Option<ByteStream>, Failure> {
    match bucket.client().get_object().bucket(bucket.name()).key(key).send().await.map_err(Failure::from) {
        Ok(output) => Ok(Some(output.body)),
        Err(failure) if failure.is_missing_object() => Ok(None),
        Err(failure) => Err(failure.hint_if_forbidden("s3:GetObject is needed on the files of the inventory")),
    }
}

fn unreadable(error: &StoreError) -> anyhow::Error {
    let hint = match error.kind {
        StoreErrorKind::Forbidden => {
            "`avatarMigrate policy --for verify` with the same --inventory prints what is missing"
        }
        StoreErrorKind::NoSuchBucket => "check the bucket in --inventory",
        StoreErrorKind::Credentials
        | StoreErrorKind::Archived
        | StoreErrorKind::Throttled
        | StoreErrorKind::Unreachable
        | StoreErrorKind::Other => {
            "check --inventory, and the profile, region and endpoint of the bucket that it describes"
        }
    };
    usage(format!("the inventory cannot be read: {error}"), hint)
}

fn hex(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
