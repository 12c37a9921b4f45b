//! Two objects read side by side, on one thread and on several.

use std::time::Duration;

use anyhow::{Context, ensure};
use avatar_migrate::check::{Checker, Compared};
use avatar_migrate::config::CheckMode;
use avatar_migrate::finding::Proof;
use avatar_migrate::path::ETag;
use avatar_migrate::store::{ObjectInfo, ReadObjects, Sha256Digest, SideBySide, Stores};
use avatar_migrate_kit::{EmbeddedS3, Fault};
use sha2::{Digest, Sha256};

use crate::{embedded, info};

const OURS: &str = "image/a.png";
const THEIRS: &str = "avatar/a.png";

#[tokio::test]
async fn on_one_thread() -> anyhow::Result<()> {
    bytes_decide().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_several_threads() -> anyhow::Result<()> {
    bytes_decide().await
}

/// Equal and unequal ones, of sizes around the pieces in which they come and are hashed.
async fn bytes_decide() -> anyhow::Result<()> {
    let (server, stores) = embedded()?;
    for size in [0, 1, 65_536, 262_144, 262_145, 1_000_001] {
        let bytes = content(size);
        put(&server, &bytes, &bytes);
        assert_eq!(compared(&stores).await?, same(&bytes), "{size}");
        let digest = stores.source.sha256(&info(&stores.source, OURS).await?).await?;
        assert_eq!(digest.map(SideBySide::Same), Some(same(&bytes)), "{size}");
        for at in [0, size / 2, size.saturating_sub(1)] {
            let mut other = bytes.clone();
            let Some(byte) = other.get_mut(at) else { continue };
            *byte ^= 1;
            put(&server, &bytes, &other);
            assert_eq!(compared(&stores).await?, SideBySide::DifferAt(at as u64), "{size}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_body_that_breaks_off_is_read_again_with_its_twin() -> anyhow::Result<()> {
    for broken in ["legacy-s3", "production-s3"] {
        let (server, stores) = embedded()?;
        let bytes = content(700_000);
        put(&server, &bytes, &bytes);
        server.on_request(move |seen| {
            let first = seen.operation == "GetObject" && seen.nth <= 2;
            if first && seen.bucket.as_deref() == Some(broken) { Fault::TruncatedAnswer } else { Fault::None }
        });
        assert_eq!(compared(&stores).await?, same(&bytes));
        assert_eq!(server.requests().get("GetObject"), Some(&4), "{broken}");
    }
    Ok(())
}

#[tokio::test]
async fn a_body_that_always_breaks_off_is_no_object() -> anyhow::Result<()> {
    let (server, stores) = embedded()?;
    let bytes = content(1000);
    put(&server, &bytes, &bytes);
    server.on_request(move |seen| {
        let theirs = seen.operation == "GetObject" && seen.bucket.as_deref() == Some("production-s3");
        if theirs { Fault::TruncatedAnswer } else { Fault::None }
    });
    let error = compared(&stores).await.err().context("compared")?.to_string();
    ensure!(error.contains("GetObject of s3://production-s3/avatar/a.png failed"), "{error}");
    assert_eq!(server.requests().get("GetObject"), Some(&10), "five attempts at both");
    Ok(())
}

#[tokio::test]
async fn what_changed_or_went_is_looked_at_again() -> anyhow::Result<()> {
    let (server, stores) = embedded()?;
    put(&server, b"abc", b"abc");
    let (ours, theirs) = (info(&stores.source, OURS).await?, info(&stores.target, THEIRS).await?);
    // As listed, these two were other objects, and those never existed.
    let stale = |object: &ObjectInfo| {
        let etag = ETag::new("00000000000000000000000000000000");
        ObjectInfo { etag, ..object.clone() }
    };
    assert_eq!(stores.source.compare(&stale(&ours), &stores.target, &theirs).await?, SideBySide::Moved);
    assert_eq!(stores.source.compare(&ours, &stores.target, &stale(&theirs)).await?, SideBySide::Moved);
    assert_eq!(stores.source.compare(&theirs, &stores.target, &theirs).await?, SideBySide::Moved);
    // The source changes between an attempt and the next one.
    server.on_request(|seen| match (seen.operation.as_str(), seen.nth) {
        ("GetObject", 1 | 2) => Fault::TruncatedAnswer,
        ("GetObject", _) => Fault::Status(412, "PreconditionFailed".to_owned()),
        _ => Fault::None,
    });
    server.reset_requests();
    assert_eq!(stores.source.compare(&ours, &stores.target, &theirs).await?, SideBySide::Moved);
    Ok(())
}

/// So many pairs that there is not room for all of them at once: none waits for room that another one of them holds.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_does_not_wait_for_itself() -> anyhow::Result<()> {
    let (server, stores) = embedded()?;
    let bytes = content(768 << 10);
    put(&server, &bytes, &bytes);
    let (ours, theirs) = (info(&stores.source, OURS).await?, info(&stores.target, THEIRS).await?);
    let crowd = (0..70).map(|_| stores.source.compare(&ours, &stores.target, &theirs));
    let crowd = futures::future::try_join_all(crowd);
    let ended = tokio::time::timeout(Duration::from_secs(60), crowd).await.context("it waits for itself")??;
    assert_eq!(ended, vec![same(&bytes); 70]);
    Ok(())
}

#[tokio::test]
async fn the_check_takes_equal_bytes_as_proof_and_tells_where_they_differ() -> anyhow::Result<()> {
    let (server, stores) = embedded()?;
    put(&server, b"abc", b"abc");
    let (ours, theirs) = (info(&stores.source, OURS).await?, info(&stores.target, THEIRS).await?);
    let checker = Checker::new(&stores.source, &stores.target, CheckMode::Sha256);
    let Compared::Same(copy) = checker.compare(&ours, &theirs, None).await? else { anyhow::bail!("not the same") };
    let digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!((copy.proof(), copy.sha256()), (Proof::Sha256, Some(digest)));
    put(&server, b"abc", b"abd");
    let theirs = info(&stores.target, THEIRS).await?;
    let compared = checker.compare(&ours, &theirs, None).await?;
    ensure!(
        matches!(&compared, Compared::Different(how) if how == "the bytes differ, first at offset 2"),
        "{compared:?}"
    );
    Ok(())
}

fn content(size: usize) -> Vec<u8> {
    (0..size).map(|at| u8::try_from(at % 251).unwrap_or(0)).collect()
}

fn put(server: &EmbeddedS3, ours: &[u8], theirs: &[u8]) {
    server.put("legacy-s3", OURS, ours.to_vec());
    server.put("production-s3", THEIRS, theirs.to_vec());
}

async fn compared(stores: &Stores) -> anyhow::Result<SideBySide> {
    let (ours, theirs) = (info(&stores.source, OURS).await?, info(&stores.target, THEIRS).await?);
    Ok(stores.source.compare(&ours, &stores.target, &theirs).await?)
}

fn same(bytes: &[u8]) -> SideBySide {
    SideBySide::Same(Sha256Digest(Sha256::digest(bytes).into()))
}
