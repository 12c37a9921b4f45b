//! Faults between this program and S3.

use std::time::Duration;

use anyhow::{Context, ensure};
use avatar_migrate::store::{
    Copier, CopyEnd, CopyGuard, CopyObjects, ReadObjects, Sha256Digest, StoreErrorKind, Stores, Streamer,
};
use avatar_migrate_kit::Fault;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use sha2::{Digest, Sha256};

use crate::{SIZES, SMALL_PARTS, embedded, info, key};

#[tokio::test]
async fn lost_and_odd_answers_are_never_a_success() -> anyhow::Result<()> {
    for fault in [
        || Fault::EmptyAnswer,
        || Fault::ErrorInAnswer("InternalError".to_owned()),
        || Fault::AnswerLost,
        || Fault::DropConnection,
    ] {
        let (server, stores) = embedded()?;
        server.put("legacy-s3", "image/a.png", "abc");
        let source = info(&stores.source, "image/a.png").await?;
        server.on_request(move |seen| if seen.operation == "CopyObject" { fault() } else { Fault::None });
        let copier = Copier::new(stores.source.clone(), stores.target.clone(), SIZES);
        assert_eq!(copier.copy(&source, &key("avatar/a.png")?, &CopyGuard::Absent).await?, CopyEnd::Unsettled);
    }
    Ok(())
}

#[tokio::test]
async fn a_broken_transfer_starts_again() -> anyhow::Result<()> {
    let (server, stores) = embedded()?;
    server.set_least_part(1);
    server.put("legacy-s3", "image/a.png", "0123456789abcdef");
    let source = info(&stores.source, "image/a.png").await?;
    for (sizes, operation, name) in [(SIZES, "PutObject", "avatar/whole"), (SMALL_PARTS, "UploadPart", "avatar/parts")]
    {
        server.reset_requests();
        server.on_request(move |seen| {
            if seen.operation == operation && seen.nth <= 2 {
                Fault::Status(503, "SlowDown".to_owned())
            } else {
                Fault::None
            }
        });
        let streamer = Streamer::new(stores.source.clone(), stores.target.clone(), sizes);
        let end = streamer.copy(&source, &key(name)?, &CopyGuard::Absent).await?;
        let sum = Some(Sha256Digest(Sha256::digest("0123456789abcdef").into()));
        ensure!(matches!(&end, CopyEnd::Copied { sha256, .. } if *sha256 == sum), "{end:?}");
        assert_eq!(server.object("production-s3", name).context("gone")?.body, "0123456789abcdef");
    }
    ensure!(stores.requests.throttles().count() >= 1);
    Ok(())
}

#[tokio::test]
async fn a_dropped_or_failed_upload_is_aborted() -> anyhow::Result<()> {
    let (server, stores) = embedded()?;
    server.set_least_part(1);
    server.put("legacy-s3", "image/a.png", "0123456789abcdef");
    let source = info(&stores.source, "image/a.png").await?;
    let target = key("avatar/a.png")?;
    let copier = Copier::new(stores.source.clone(), stores.target.clone(), SMALL_PARTS);
    server.on_request(|seen| match seen.operation.as_str() {
        "UploadPartCopy" => Fault::Status(403, "AccessDenied".to_owned()),
        _ => Fault::None,
    });
    let error = copier.copy(&source, &target, &CopyGuard::Absent).await.err().context("copied")?;
    assert_eq!(error.kind, StoreErrorKind::Forbidden);
    assert_eq!(server.open_uploads("production-s3")?, 0);
    server.on_request(|seen| match seen.operation.as_str() {
        "UploadPartCopy" => Fault::DelayMillis(60_000),
        _ => Fault::None,
    });
    let cut = Duration::from_millis(500);
    ensure!(tokio::time::timeout(cut, copier.copy(&source, &target, &CopyGuard::Absent)).await.is_err());
    for _ in 0..50 {
        if server.open_uploads("production-s3")? == 0 {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    anyhow::bail!("the upload is still open")
}

#[tokio::test]
async fn an_answer_that_does_not_come_in_time_is_asked_for_again() -> anyhow::Result<()> {
    let (server, _) = embedded()?;
    server.put("legacy-s3", "image/a.png", "0123456789abcdef");
    let timeout = TimeoutConfig::builder().operation_attempt_timeout(Duration::from_millis(500)).build();
    let client = Client::from_conf(server.client().config().to_builder().timeout_config(timeout).build());
    let stores = Stores::from_clients((&client, "legacy-s3"), (&client, "production-s3"));
    let source = info(&stores.source, "image/a.png").await?;
    // What the SDK tries anew by itself, what takes longer with its size, and what this program tries anew.
    let (copier, streamer) = (
        Copier::new(stores.source.clone(), stores.target.clone(), SIZES),
        Streamer::new(stores.source.clone(), stores.target.clone(), SIZES),
    );
    server.reset_requests();
    server.on_request(|seen| if seen.nth == 1 { Fault::NoAnswer } else { Fault::None });
    stores.source.head(&source.key).await?.context("there")?;
    assert_eq!(copier.copy(&source, &key("avatar/1")?, &CopyGuard::Absent).await?, CopyEnd::Unsettled, "412 by itself");
    assert_eq!(streamer.copy(&source, &key("avatar/2")?, &CopyGuard::Absent).await?, CopyEnd::Unsettled);
    for operation in ["HeadObject", "CopyObject", "GetObject", "PutObject"] {
        ensure!(server.requests().get(operation) >= Some(&2), "{operation}: {:?}", server.requests());
    }
    assert_eq!(server.object("production-s3", "avatar/2").context("done all the same")?.body, "0123456789abcdef");
    Ok(())
}
