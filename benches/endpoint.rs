//! An S3 server as contestants see it, and the objects in it.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use avatar_migrate_kit::effort::Lot;
use avatar_migrate_kit::{EmbeddedS3, Seaweed};
use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{Delete, ObjectIdentifier};
use futures::{StreamExt, TryStreamExt};

/// Requests of the bench itself that run at once.
const AT_ONCE: usize = 64;
/// What every object of SeaweedFS carries, to see who keeps it.
const CACHE_CONTROL: &str = "max-age=60";
const OWNER: &str = "unit-seven";

/// Where a server is, and how to sign for it.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint {
    pub(crate) url: String,
    pub(crate) access_key: String,
    pub(crate) secret_key: String,
    pub(crate) region: String,
}

impl Endpoint {
    pub(crate) fn of_seaweed(server: &Seaweed) -> Self {
        Self::new([server.endpoint(), server.access_key(), server.secret_key(), server.region()])
    }

    pub(crate) fn of_embedded(server: &EmbeddedS3) -> Self {
        Self::new([server.endpoint(), server.access_key(), server.secret_key(), server.region()])
    }

    fn new([url, access_key, secret_key, region]: [&str; 4]) -> Self {
        Self {
            url: url.to_owned(),
            access_key: access_key.to_owned(),
            secret_key: secret_key.to_owned(),
            region: region.to_owned(),
        }
    }
}

/// The key of the object that the n-th row names.
pub(crate) fn key(n: usize) -> String {
    format!("image/avatar-{n:07}.png")
}

/// Its key in production.
pub(crate) fn modern(key: &str) -> String {
    key.replacen("image/", "avatar/", 1)
}

/// 4 to 64 KiB, always the same for the same number.
fn body(n: usize) -> Vec<u8> {
    let mut lot = Lot::from_seed(n as u64);
    let length = usize::try_from(lot.below(60 * 1024)).unwrap_or(0) + 4 * 1024;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        bytes.extend_from_slice(&lot.draw().to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

/// Puts so many objects with headers, metadata and a tag into a bucket.
pub(crate) async fn fill(client: &Client, bucket: &str, count: usize) -> Result<()> {
    let puts = futures::stream::iter((0..count).map(|n| async move {
        let put = client.put_object().bucket(bucket).key(key(n)).body(ByteStream::from(body(n)));
        let put = put.content_type("image/png").cache_control(CACHE_CONTROL).metadata("owner", OWNER);
        put.tagging("team=blue").send().await.map(|_| ()).context("an object cannot be put")
    }));
    puts.buffer_unordered(AT_ONCE).try_collect().await
}

/// Copies so many objects, with all that belongs to them, into another bucket under the same keys.
pub(crate) async fn duplicate(client: &Client, from: &str, to: &str, count: usize) -> Result<()> {
    let copies = futures::stream::iter((0..count).map(|n| async move {
        let source = format!("{from}/{}", key(n));
        let copy = client.copy_object().copy_source(source).bucket(to).key(key(n));
        copy.send().await.map(|_| ()).context("an object cannot be copied")
    }));
    copies.buffer_unordered(AT_ONCE).try_collect().await
}

/// Removes a bucket with all objects in it.
pub(crate) async fn drop_bucket(client: &Client, bucket: &str) -> Result<()> {
    loop {
        let page = client.list_objects_v2().bucket(bucket).send().await.context("a bucket cannot be listed")?;
        let keys = page.contents().iter().filter_map(|object| object.key());
        let keys: Vec<ObjectIdentifier> =
            keys.map(|key| ObjectIdentifier::builder().key(key).build()).collect::<Result<_, _>>()?;
        if keys.is_empty() {
            break;
        }
        let delete = Delete::builder().set_objects(Some(keys)).quiet(true).build()?;
        client.delete_objects().bucket(bucket).delete(delete).send().await.context("objects cannot be deleted")?;
    }
    client.delete_bucket().bucket(bucket).send().await.context("a bucket cannot be deleted")?;
    Ok(())
}

/// Looks at one copy: what is missing of what `fill` gave it, or how many copies are missing.
pub(crate) async fn lost(client: &Client, bucket: &str, count: usize) -> Result<String> {
    let there = count_objects(client, bucket).await?;
    if there != count {
        return Ok(format!("{} of {count} objects", count.abs_diff(there)));
    }
    let key = modern(&key(count / 2));
    let head = client.head_object().bucket(bucket).key(&key).send().await.context("a copy is not there")?;
    let tags = client.get_object_tagging().bucket(bucket).key(&key).send().await.context("no tags")?;
    let owner = head.metadata().and_then(|metadata| metadata.get("owner"));
    let facts = [
        ("Content-Type", head.content_type() == Some("image/png")),
        ("Cache-Control", head.cache_control() == Some(CACHE_CONTROL)),
        ("metadata", owner.is_some_and(|owner| owner == OWNER)),
        ("tags", tags.tag_set().iter().any(|tag| tag.key() == "team" && tag.value() == "blue")),
    ];
    let lost: Vec<&str> = facts.iter().filter(|(_, kept)| !kept).map(|(name, _)| *name).collect();
    Ok(if lost.is_empty() { "nothing".to_owned() } else { lost.join(", ") })
}

async fn count_objects(client: &Client, bucket: &str) -> Result<usize> {
    let mut pages = client.list_objects_v2().bucket(bucket).prefix("avatar/").into_paginator().send();
    let mut count = 0;
    while let Some(page) = pages.next().await {
        count += page.context("a bucket cannot be listed")?.contents().len();
    }
    Ok(count)
}

/// All requests between two counts.
pub(crate) fn between(before: &BTreeMap<String, u64>, after: &BTreeMap<String, u64>) -> u64 {
    after.values().sum::<u64>().saturating_sub(before.values().sum())
}
