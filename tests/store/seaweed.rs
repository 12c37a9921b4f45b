//! The same on a server that is not AWS.

use anyhow::{Context, ensure};
use avatar_migrate::store::{
    Copier, CopyEnd, CopyGuard, CopyObjects, DeleteEnd, DeleteItem, DeleteMode, DeleteProof, DeleteSources, Deleter,
    ObjectInfo, PartSizes, ReadObjects, Scratch, Stores, Streamer,
};
use avatar_migrate_kit::Seaweed;

use crate::{HOSTILE, SIZES, key, listed};

/// Puts what SeaweedFS can hold, with headers, metadata and a tag, and an object of three parts.
async fn fill_seaweed(client: &aws_sdk_s3::Client, bucket: &str) -> anyhow::Result<usize> {
    let odd = |name: &&str| name.contains(['\\', '\u{1}', '\r', '\n']) || name.contains("//") || name.ends_with('/');
    let mut bodies: Vec<(&str, Vec<u8>)> = Vec::new();
    bodies.extend(HOSTILE.into_iter().filter(|name| !odd(name)).map(|name| (name, name.as_bytes().to_vec())));
    bodies.push(("image/large", (0_u32..3_000_000).flat_map(u32::to_le_bytes).collect()));
    let count = bodies.len();
    for (name, body) in bodies {
        let request = client.put_object().bucket(bucket).key(name).content_type("image/png").tagging("a=b%20c");
        request.cache_control("no-cache").metadata("owner", "me").body(body.into()).send().await?;
    }
    Ok(count)
}

async fn check_on_seaweed(stores: &Stores, copier: &impl CopyObjects, prefix: &str) -> anyhow::Result<()> {
    let objects = listed(&stores.source, "image/").await?;
    let absent = ObjectInfo { key: key("image/none")?, ..objects.first().context("none")?.clone() };
    assert_eq!(copier.copy(&absent, &key("x")?, &CopyGuard::Absent).await?, CopyEnd::MissingSource);
    for object in &objects {
        let target = key(&format!("{prefix}/{}", object.key))?;
        let end = copier.copy(object, &target, &CopyGuard::Absent).await?;
        ensure!(matches!(end, CopyEnd::Copied { .. }), "{end:?} {target}");
        assert_eq!(copier.copy(object, &target, &CopyGuard::Absent).await?, CopyEnd::Unsettled, "{target}");
        let old = stores.source.head(&object.key).await?.context("no source")?;
        let new = stores.target.head(&target).await?.context("no target")?;
        assert_eq!((new.info.size, &new.headers, new.tag_count), (old.info.size, &old.headers, 1), "{target}");
        let sums = (stores.source.sha256(object).await?, stores.target.sha256(&new.info).await?);
        ensure!(sums.0.is_some() && sums.0 == sums.1, "{target}: {sums:?}");
    }
    Ok(())
}

#[tokio::test]
async fn seaweedfs_copies_streams_and_deletes() -> anyhow::Result<()> {
    let server = Seaweed::shared();
    let (legacy, production) = (server.bucket("legacy"), server.bucket("production"));
    let client = server.client();
    let stores = Stores::from_clients((&client, &legacy), (&client, &production));
    let count = fill_seaweed(&client, &legacy).await?;
    let parts = PartSizes { threshold: 6 << 20, part_size: 5 << 20 };
    for (name, sizes) in [("whole", SIZES), ("parts", parts)] {
        let copier = Copier::new(stores.source.clone(), stores.target.clone(), sizes);
        check_on_seaweed(&stores, &copier, &format!("{name}/copied")).await?;
        let streamer = Streamer::new(stores.source.clone(), stores.target.clone(), sizes);
        check_on_seaweed(&stores, &streamer, &format!("{name}/streamed")).await?;
    }
    let DeleteProof::Enforced(deleter) = Deleter::prove(stores.source.clone(), &Scratch::of_run(1)).await? else {
        anyhow::bail!("not enforced")
    };
    assert_eq!(deleter.mode(), DeleteMode::Batch);
    let objects = listed(&stores.source, "").await?;
    assert_eq!(objects.len(), count);
    let items: Vec<_> = objects.into_iter().map(|object| DeleteItem { key: object.key, etag: object.etag }).collect();
    for round in ["first", "repeated"] {
        let ends = deleter.delete(&items, std::time::SystemTime::now()).await?;
        assert!(ends.iter().all(|end| *end == DeleteEnd::Deleted), "{round}: {ends:?}");
    }
    assert_eq!(listed(&stores.source, "").await?, []);
    Ok(())
}
