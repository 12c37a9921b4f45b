//! Copies by every method: content, headers, metadata, tags, guards.

use anyhow::{Context, ensure};
use avatar_migrate::path::ETag;
use avatar_migrate::store::{
    Copier, CopyEnd, CopyGuard, CopyObjects, DeleteEnd, DeleteItem, DeleteMode, DeleteProof, DeleteSources, Deleter,
    ObjectInfo, ReadObjects, Scratch, Sha256Digest, Streamer,
};
use avatar_migrate_kit::{Algorithm, EmbeddedS3, ObjectHeaders, StoredChecksum};
use sha2::{Digest, Sha256};

use crate::{HOSTILE, SIZES, SMALL_PARTS, embedded, info, key, listed};

fn dressed() -> ObjectHeaders {
    ObjectHeaders {
        content_type: Some("image/png".to_owned()),
        cache_control: Some("max-age=60, immutable".to_owned()),
        content_disposition: Some("attachment; filename=\"a b.png\"".to_owned()),
        content_encoding: Some("identity".to_owned()),
        content_language: Some("de".to_owned()),
        expires: Some("Wed, 21 Oct 2026 07:28:00 GMT".to_owned()),
        metadata: [("owner".to_owned(), "jo+rg & co".to_owned())].into(),
    }
}

fn put_dressed(server: &EmbeddedS3, name: &str, body: &'static [u8]) {
    server.put_with("legacy-s3", name, body, dressed(), |object| {
        object.tags = std::sync::Arc::new([("team a".to_owned(), "x=1 + 2".to_owned())].into());
    });
}

/// All three ways must carry everything along.
async fn keeps_everything(
    server: &EmbeddedS3,
    copier: &impl CopyObjects,
    source: &ObjectInfo,
) -> anyhow::Result<CopyEnd> {
    let end = copier.copy(source, &key("avatar/new.png")?, &CopyGuard::Absent).await?;
    let CopyEnd::Copied { etag, .. } = &end else { anyhow::bail!("{end:?}") };
    let old = server.object("legacy-s3", source.key.as_str()).context("no source")?;
    let new = server.object("production-s3", "avatar/new.png").context("no target")?;
    assert_eq!((&new.body, &new.headers, &new.tags), (&old.body, &old.headers, &old.tags));
    assert_eq!(etag.as_str(), &*new.e_tag);
    Ok(end)
}

#[tokio::test]
async fn hostile_keys_are_listed_read_copied_and_deleted() -> anyhow::Result<()> {
    let (server, stores) = embedded()?;
    for name in HOSTILE {
        server.put("legacy-s3", name, name.to_owned());
    }
    let mut objects = listed(&stores.source, "image/").await?;
    let mut names: Vec<&str> = objects.iter().map(|object| object.key.as_str()).collect();
    let mut expected = HOSTILE.to_vec();
    expected.sort_unstable();
    names.sort_unstable();
    assert_eq!(names, expected);
    objects.sort_by(|one, two| one.key.cmp(&two.key));
    let copier = Copier::new(stores.source.clone(), stores.target.clone(), SIZES);
    let streamer = Streamer::new(stores.source.clone(), stores.target.clone(), SIZES);
    for object in &objects {
        let name = object.key.as_str();
        let sum = Sha256Digest(Sha256::digest(name).into());
        assert_eq!(&info(&stores.source, name).await?, object);
        assert_eq!(stores.source.sha256(object).await?, Some(sum));
        for (target, end) in [
            (
                format!("copied/{name}"),
                copier.copy(object, &key(&format!("copied/{name}"))?, &CopyGuard::Absent).await?,
            ),
            (
                format!("streamed/{name}"),
                streamer.copy(object, &key(&format!("streamed/{name}"))?, &CopyGuard::Absent).await?,
            ),
        ] {
            assert_eq!(end, CopyEnd::Copied { etag: object.etag.clone(), sha256: Some(sum) }, "{target:?}");
            assert_eq!(server.object("production-s3", &target).context(target)?.body, name.as_bytes());
        }
    }
    let DeleteProof::Enforced(deleter) = Deleter::prove(stores.source.clone(), &Scratch::of_run(1)).await? else {
        anyhow::bail!("not enforced")
    };
    assert_eq!(deleter.mode(), DeleteMode::Batch);
    let items: Vec<_> = objects.into_iter().map(|object| DeleteItem { key: object.key, etag: object.etag }).collect();
    let ends = deleter.delete(&items, std::time::SystemTime::now()).await?;
    assert!(ends.iter().all(|end| *end == DeleteEnd::Deleted), "{ends:?}");
    assert_eq!(server.keys("legacy-s3"), Vec::<String>::new());
    Ok(())
}

#[tokio::test]
async fn every_method_keeps_headers_metadata_and_tags() -> anyhow::Result<()> {
    let body = b"0123456789abcdef";
    let sum = Some(Sha256Digest(Sha256::digest(body).into()));
    for (sizes, streamed) in [(SIZES, false), (SMALL_PARTS, false), (SIZES, true), (SMALL_PARTS, true)] {
        let (server, stores) = embedded()?;
        server.set_least_part(1);
        put_dressed(&server, "image/a.png", body);
        let source = info(&stores.source, "image/a.png").await?;
        let (from, to) = (stores.source.clone(), stores.target.clone());
        let end = if streamed {
            keeps_everything(&server, &Streamer::new(from, to, sizes), &source).await?
        } else {
            keeps_everything(&server, &Copier::new(from, to, sizes), &source).await?
        };
        let CopyEnd::Copied { sha256, .. } = end else { anyhow::bail!("not copied") };
        let expected = if sizes == SMALL_PARTS && !streamed { None } else { sum };
        assert_eq!(sha256, expected);
        assert_eq!(server.open_uploads("production-s3")?, 0);
        let new = stores.target.head(&key("avatar/new.png")?).await?.context("no target")?;
        let old = stores.source.head(&source.key).await?.context("no source")?;
        assert_eq!((&new.headers, new.tag_count), (&old.headers, 1));
        if sizes == SMALL_PARTS && !streamed {
            assert_eq!(new.checksums, old.checksums, "comparable without reading");
        }
    }
    Ok(())
}

#[tokio::test]
async fn guards_keep_what_is_there() -> anyhow::Result<()> {
    let (server, stores) = embedded()?;
    server.set_least_part(1);
    server.put("legacy-s3", "image/a.png", "0123456789abcdef");
    let source = info(&stores.source, "image/a.png").await?;
    let target = key("avatar/a.png")?;
    let changed = ObjectInfo { etag: ETag::new("900150983cd24fb0d6963f7d28e17f72"), ..source.clone() };
    let absent = ObjectInfo { key: key("image/none.png")?, ..source.clone() };
    for sizes in [SIZES, SMALL_PARTS] {
        let copier = Copier::new(stores.source.clone(), stores.target.clone(), sizes);
        let streamer = Streamer::new(stores.source.clone(), stores.target.clone(), sizes);
        server.put("production-s3", "avatar/a.png", "other");
        let other = info(&stores.target, "avatar/a.png").await?;
        assert_eq!(copier.copy(&source, &target, &CopyGuard::Absent).await?, CopyEnd::Unsettled);
        assert_eq!(streamer.copy(&source, &target, &CopyGuard::Absent).await?, CopyEnd::Unsettled);
        let wrong = CopyGuard::OwnCopy(source.etag.clone());
        assert_eq!(copier.copy(&source, &target, &wrong).await?, CopyEnd::Unsettled);
        assert_eq!(streamer.copy(&source, &target, &wrong).await?, CopyEnd::Unsettled);
        let right = CopyGuard::OwnCopy(other.etag);
        assert_eq!(copier.copy(&changed, &target, &right).await?, CopyEnd::Unsettled);
        assert_eq!(streamer.copy(&changed, &target, &right).await?, CopyEnd::Unsettled);
        assert_eq!(copier.copy(&absent, &target, &right).await?, CopyEnd::MissingSource);
        assert_eq!(streamer.copy(&absent, &target, &right).await?, CopyEnd::MissingSource);
        assert_eq!(server.object("production-s3", "avatar/a.png").context("gone")?.body, "other");
        let end = copier.copy(&source, &target, &right).await?;
        ensure!(matches!(end, CopyEnd::Copied { .. }), "{end:?}");
        server.remove("production-s3", "avatar/a.png");
        assert_eq!(copier.copy(&source, &target, &right).await?, CopyEnd::Unsettled, "its target is gone");
        assert_eq!(server.open_uploads("production-s3")?, 0);
    }
    Ok(())
}

#[tokio::test]
async fn a_stored_checksum_is_carried_over_where_the_etag_proves_nothing() -> anyhow::Result<()> {
    let (server, stores) = embedded()?;
    let copier = Copier::new(stores.source.clone(), stores.target.clone(), SIZES);
    for (name, checksum) in [("image/with", Some(Algorithm::Crc32)), ("image/without", None)] {
        server.put_with("legacy-s3", name, "abc", ObjectHeaders::default(), |object| {
            object.e_tag = "d41d8cd98f00b204e9800998ecf8427e-2".into();
            object.checksum = checksum.map(|algorithm| StoredChecksum::of(algorithm, b"abc"));
        });
        let source = info(&stores.source, name).await?;
        let end = copier.copy(&source, &key(name)?, &CopyGuard::Absent).await?;
        let CopyEnd::Copied { sha256, .. } = end else { anyhow::bail!("{end:?}") };
        assert_eq!(sha256.is_some(), checksum.is_none(), "{name}");
        let copied = stores.target.head(&key(name)?).await?.context("no target")?;
        let expected = if checksum.is_some() { "CRC32" } else { "SHA256" };
        assert_eq!(copied.checksums.keys().collect::<Vec<_>>(), [expected]);
    }
    Ok(())
}
