//! The S3 room against a server that does what AWS does, and against SeaweedFS.

mod canaries;
mod comparing;
mod connecting;
mod copying;
mod deleting;
mod faults;
mod seaweed;

use anyhow::Context;
use avatar_migrate::path::ObjectKey;
use avatar_migrate::store::{Bucket, ObjectInfo, PartSizes, ReadObjects, Stores};
use avatar_migrate_kit::EmbeddedS3;

pub(crate) const SIZES: PartSizes = PartSizes { threshold: 5_000_000_000, part_size: 1 << 30 };
pub(crate) const SMALL_PARTS: PartSizes = PartSizes { threshold: 10, part_size: 7 };

pub(crate) const HOSTILE: [&str; 22] = [
    "image/avatar-1.png",
    "image/a b",
    "image/a+b",
    "image/a%2Bb",
    "image/100%",
    "image/a?b#c",
    "image/a?versionId=x",
    "image/a&b=c;d",
    "image/ä",
    "image/a\u{308}",
    "image/日本",
    "image/🦀",
    "image//double",
    "image/trail/",
    "image/back\\slash",
    "image/quote\"'",
    "image/line\nfeed",
    "image/tab\there",
    "image/return\r",
    "image/\u{1}control",
    "image/~_-.!*()",
    "image/<&>{}|^`[]@:$,",
];

pub(crate) fn embedded() -> anyhow::Result<(EmbeddedS3, Stores)> {
    let server = EmbeddedS3::start()?;
    server.create_bucket("legacy-s3");
    server.create_bucket("production-s3");
    let client = server.client();
    let stores = Stores::from_clients((&client, "legacy-s3"), (&client, "production-s3"));
    Ok((server, stores))
}

pub(crate) fn key(text: &str) -> anyhow::Result<ObjectKey> {
    Ok(ObjectKey::new(text)?)
}

pub(crate) async fn info(bucket: &Bucket, name: &str) -> anyhow::Result<ObjectInfo> {
    Ok(bucket.head(&key(name)?).await?.with_context(|| format!("{name} is not there"))?.info)
}

pub(crate) async fn listed(bucket: &Bucket, prefix: &str) -> anyhow::Result<Vec<ObjectInfo>> {
    let mut objects = Vec::new();
    let mut token = None;
    loop {
        let page = bucket.list(prefix, None, token).await?;
        objects.extend(page.objects);
        token = page.next;
        if token.is_none() {
            return Ok(objects);
        }
    }
}
