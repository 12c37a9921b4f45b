//! What only the embedded server offers: faults, counts, limits, and looking inside.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use anyhow::Context;
use avatar_migrate_kit::{Algorithm, EmbeddedS3, Fault, ObjectHeaders, StoredChecksum, Strain, Tick, png};
use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::presigning::PresigningConfig as Presigned;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumMode, ChecksumType, CompletedMultipartUpload, CompletedPart};

/// A client which tries once.
fn once(server: &EmbeddedS3) -> Client {
    let retries = RetryConfig::disabled();
    Client::from_conf(server.client().config().to_builder().retry_config(retries).build())
}

/// One unsigned request; the status line and headers of its answer.
fn unsigned(server: &EmbeddedS3, method: &str, target: &str) -> anyhow::Result<String> {
    let mut stream = std::net::TcpStream::connect(server.endpoint().trim_start_matches("http://"))?;
    stream.write_all(format!("{method} {target} HTTP/1.1\r\nHost: s3\r\nConnection: close\r\n\r\n").as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer.lines().next().unwrap_or_default().to_owned())
}

#[test]
fn everybody_reads_what_is_public_and_nothing_else() -> anyhow::Result<()> {
    let server = EmbeddedS3::start()?;
    server.put("open", "a b.txt", "text");
    server.put("closed", "a b.txt", "text");
    server.make_public("open", false);
    for (method, target, status) in [
        ("GET", "/open/a%20b.txt", "200 OK"),
        ("HEAD", "/open/a%20b.txt", "200 OK"),
        ("GET", "/open/absent", "403 Forbidden"),
        ("HEAD", "/open/absent", "403 Forbidden"),
        ("GET", "/closed/a%20b.txt", "403 Forbidden"),
        ("GET", "/open?list-type=2", "403 Forbidden"),
        ("GET", "/open/a%20b.txt?tagging", "403 Forbidden"),
        ("DELETE", "/open/a%20b.txt", "403 Forbidden"),
    ] {
        assert_eq!(unsigned(&server, method, target)?, format!("HTTP/1.1 {status}"), "{method} {target}");
    }
    // Who may list is told the truth.
    server.make_public("open", true);
    assert_eq!(unsigned(&server, "GET", "/open/absent")?, "HTTP/1.1 404 Not Found");
    Ok(())
}

#[tokio::test]
async fn faults_do_what_they_say() -> anyhow::Result<()> {
    let server = EmbeddedS3::start()?;
    server.put("legacy-s3", "image/a", png(1));
    server.create_bucket("production-s3");
    let client = once(&server);
    let copy = |key: &'static str| {
        client.copy_object().copy_source("legacy-s3/image/a").bucket("production-s3").key(key).send()
    };
    server.on_request(|seen| match seen.key.as_deref() {
        Some("status") => Fault::Status(503, "SlowDown".to_owned()),
        Some("lost") => Fault::AnswerLost,
        Some("dropped") => Fault::DropConnection,
        Some("empty") => Fault::EmptyAnswer,
        Some("error") => Fault::ErrorInAnswer("InternalError".to_owned()),
        Some("slow") => Fault::DelayMillis(200),
        Some(_) | None => Fault::None,
    });
    let slow_down = copy("status").await.err().context("refused")?;
    assert_eq!(slow_down.code(), Some("SlowDown"));
    assert_eq!(slow_down.raw_response().map(|raw| raw.status().as_u16()), Some(503));
    for key in ["lost", "dropped"] {
        let error = copy(key).await.err().context("no answer")?;
        assert!(error.raw_response().is_none(), "{key}: {error:?}");
    }
    assert_eq!(copy("empty").await?.copy_object_result(), None);
    let inside = copy("error").await.err().context("an error within 200")?;
    assert_eq!(inside.code(), Some("InternalError"));
    assert_eq!(inside.raw_response().map(|raw| raw.status().as_u16()), Some(200));
    let started = Instant::now();
    copy("slow").await?;
    assert!(started.elapsed() >= Duration::from_millis(200));
    // What was done, was done; what was not, was not.
    assert_eq!(server.keys("production-s3"), ["empty", "lost", "slow"]);
    server.no_faults();
    copy("status").await?;
    Ok(())
}

/// The bytes that come for one signed GET on a connection of its own, and how the connection ends.
fn raw_answer(server: &EmbeddedS3, url: &str) -> (Vec<u8>, Option<ErrorKind>) {
    let address = server.endpoint().trim_start_matches("http://");
    let mut stream = std::net::TcpStream::connect(address).expect("a connection");
    let target = url.trim_start_matches(server.endpoint());
    write!(stream, "GET {target} HTTP/1.1\r\nHost: {address}\r\n\r\n").expect("a request");
    stream.set_read_timeout(Some(Duration::from_secs(1))).expect("a time-out");
    let mut answer = Vec::new();
    let end = stream.read_to_end(&mut answer).err().map(|error| error.kind());
    (answer, end)
}

#[tokio::test]
async fn connections_end_as_they_are_told() -> anyhow::Result<()> {
    let server = EmbeddedS3::start()?;
    server.put("legacy-s3", "image/a", png(1));
    let whole = Presigned::expires_in(Duration::from_secs(600))?;
    let get = server.client().get_object().bucket("legacy-s3").key("image/a").presigned(whole).await?;
    let answer = |fault: Fault| {
        server.on_request(move |_| fault.clone());
        raw_answer(&server, get.uri())
    };
    assert_eq!(answer(Fault::AnswerLost), (Vec::new(), None), "closed");
    assert_eq!(answer(Fault::Reset), (Vec::new(), Some(ErrorKind::ConnectionReset)));
    assert_eq!(answer(Fault::NoAnswer), (Vec::new(), Some(ErrorKind::WouldBlock)), "open until the client gives up");
    let (cut, end) = answer(Fault::TruncatedAnswer);
    let body = cut.windows(4).position(|window| window == b"\r\n\r\n").context("a whole head")? + 4;
    let head = String::from_utf8_lossy(&cut[..body]).to_lowercase();
    assert!(head.starts_with("http/1.1 200 ok\r\n"), "{head}");
    assert!(head.contains(&format!("content-length: {}\r\n", png(1).len())), "{head}");
    assert_eq!((&cut[body..], end), (&png(1)[..png(1).len() / 2], None), "half of the body, then closed");
    assert_eq!(server.requests(), BTreeMap::from([("GetObject".to_owned(), 4)]));
    Ok(())
}

#[tokio::test]
async fn a_request_done_twice_is_answered_once() -> anyhow::Result<()> {
    let server = EmbeddedS3::start()?;
    server.create_bucket("b-1");
    let client = once(&server);
    let put = |body: &'static [u8]| {
        client.put_object().bucket("b-1").key("a").if_none_match("*").body(ByteStream::from_static(body)).send()
    };
    let done = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&done);
    server.on_request(|_| Fault::Twice);
    server.after_request(move |_| {
        count.fetch_add(1, Ordering::Relaxed);
    });
    let second = put(b"twice").await.err().context("the second time meets the first")?;
    assert_eq!(second.code(), Some("PreconditionFailed"));
    assert_eq!(server.object("b-1", "a").context("there")?.body, "twice");
    assert_eq!(client.get_object().bucket("b-1").key("a").send().await?.body.collect().await?.to_vec(), b"twice");
    // The second time is the server's own doing.
    assert_eq!(server.requests().values().sum::<u64>(), 2);
    assert_eq!(done.load(Ordering::Relaxed), 2);
    Ok(())
}

#[tokio::test]
async fn the_second_hook_sees_what_was_done() -> anyhow::Result<()> {
    let server = Arc::new(EmbeddedS3::start()?);
    server.create_bucket("b-1");
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (weak, log) = (Arc::downgrade(&server), Arc::clone(&seen));
    let look = move |when: &str| {
        let there = weak.upgrade().is_some_and(|server| server.object("b-1", "a").is_some());
        log.lock().expect("a lock").push((when.to_owned(), there));
    };
    let after = look.clone();
    server.on_request(move |_| {
        look("before");
        Fault::AnswerLost
    });
    server.after_request(move |_| after("after"));
    assert!(once(&server).put_object().bucket("b-1").key("a").send().await.is_err());
    assert_eq!(*seen.lock().expect("a lock"), [("before".to_owned(), false), ("after".to_owned(), true)]);
    Ok(())
}

#[test]
fn a_snapshot_can_be_restored() -> anyhow::Result<()> {
    let server = EmbeddedS3::start()?;
    server.put("b-1", "a", "one");
    let snapshot = server.snapshot();
    let before = server.object("b-1", "a").context("there")?;
    server.put("b-1", "a", "two");
    server.put("b-1", "b", "two");
    server.restore(&snapshot);
    assert_eq!(server.keys("b-1"), ["a"]);
    let after = server.object("b-1", "a").context("there")?;
    assert_eq!((after.body, after.last_modified), (before.body, before.last_modified));
    Ok(())
}

#[tokio::test]
async fn requests_are_counted_and_shown() -> anyhow::Result<()> {
    let server = EmbeddedS3::start()?;
    server.put("legacy-s3", "image/a b", "x");
    assert_eq!(server.requests(), BTreeMap::new(), "a test's own hand is not a request");
    let sequence = Arc::new(AtomicU64::new(0));
    let last = Arc::clone(&sequence);
    server.on_request(move |seen| {
        last.store(seen.sequence, Ordering::Relaxed);
        if seen.operation == "CopyObject" {
            assert_eq!(seen.copy_source, Some(("legacy-s3".to_owned(), "image/a b".to_owned())));
            assert_eq!((seen.bucket.as_deref(), seen.key.as_deref()), (Some("legacy-s3"), Some("avatar/é")));
            assert_eq!(seen.nth, seen.sequence - 1);
        }
        Fault::None
    });
    let client = server.client();
    client.head_object().bucket("legacy-s3").key("image/a b").send().await?;
    for _ in 0..2 {
        let copy = client.copy_object().copy_source("legacy-s3/image/a%20b").bucket("legacy-s3");
        copy.key("avatar/é").send().await?;
    }
    let expected = BTreeMap::from([("CopyObject".to_owned(), 2), ("HeadObject".to_owned(), 1)]);
    assert_eq!((server.requests(), sequence.load(Ordering::Relaxed)), (expected, 3));
    server.reset_requests();
    assert_eq!(server.requests(), BTreeMap::new());
    Ok(())
}

#[tokio::test]
async fn objects_can_be_planted_and_seen() -> anyhow::Result<()> {
    let server = EmbeddedS3::start()?;
    let old = SystemTime::UNIX_EPOCH + Duration::from_millis(1_500_000_000_123);
    server.put_with("legacy-s3", "image/old", png(1), ObjectHeaders::default(), |object| {
        object.checksum = None;
        object.last_modified = old;
        object.tags = Arc::new(BTreeMap::from([("class".to_owned(), "avatar".to_owned())]));
    });
    server.put_with("legacy-s3", "image/frozen", png(2), ObjectHeaders::default(), |object| {
        object.storage_class = Some("GLACIER".into());
    });
    let client = server.client();
    let page = client.list_objects_v2().bucket("legacy-s3").send().await?;
    let listed = page.contents().last().context("listed")?;
    assert_eq!(SystemTime::try_from(*listed.last_modified().context("date")?)?, old, "to the millisecond");
    let head = client.head_object().bucket("legacy-s3").key("image/old").checksum_mode(ChecksumMode::Enabled);
    let head = head.send().await?;
    assert_eq!(
        (head.checksum_type(), head.tag_count(), head.content_type()),
        (None, Some(1), Some("binary/octet-stream"))
    );
    let copy = |key: &str| client.copy_object().copy_source(format!("legacy-s3/{key}")).bucket("legacy-s3").key("copy");
    let frozen = copy("image/frozen").send().await.err().context("archived")?;
    assert_eq!(frozen.code(), Some("ObjectNotInActiveTierError"));
    copy("image/old").send().await?;
    let copied = server.object("legacy-s3", "copy").context("copied")?;
    assert_eq!(copied.body, png(1));
    assert_eq!(copied.tags.get("class").map(String::as_str), Some("avatar"));
    assert_eq!(copied.checksum, Some(StoredChecksum::of(Algorithm::Crc64Nvme, &png(1))));
    assert!(server.remove("legacy-s3", "copy") && !server.remove("legacy-s3", "copy"));
    assert_eq!(server.object("legacy-s3", "copy").map(|object| object.size()), None);
    Ok(())
}

#[tokio::test]
async fn a_copy_above_the_limit_needs_parts_and_their_checksums() -> anyhow::Result<()> {
    let server = EmbeddedS3::start()?;
    server.set_copy_limit(1000);
    server.set_least_part(1);
    server.put("b-1", "image/a", vec![7; 1001]);
    let client = server.client();
    let copy = client.copy_object().copy_source("b-1/image/a").bucket("b-1").key("avatar/a").send().await;
    assert_eq!(copy.err().context("above the limit")?.code(), Some("InvalidRequest"));
    let create = client.create_multipart_upload().bucket("b-1").key("avatar/a");
    let id = create.checksum_algorithm(ChecksumAlgorithm::Sha256).send().await?.upload_id.context("id")?;
    assert_eq!(server.open_uploads("b-1")?, 1);
    let part = client.upload_part_copy().bucket("b-1").key("avatar/a").upload_id(&id).copy_source("b-1/image/a");
    let mut parts = Vec::new();
    for (number, range) in [(1, "bytes=0-999"), (2, "bytes=1000-1000")] {
        let result = part.clone().part_number(number).copy_source_range(range).send().await?.copy_part_result;
        let result = result.context("result")?;
        let named = CompletedPart::builder().part_number(number).set_e_tag(result.e_tag);
        parts.push(named.set_checksum_sha256(Some(result.checksum_sha256.context("the part's checksum")?)));
    }
    let complete = |parts: Vec<CompletedPart>| {
        let named = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        client.complete_multipart_upload().bucket("b-1").key("avatar/a").upload_id(&id).multipart_upload(named)
    };
    let bare = parts.iter().map(|part| part.clone().set_checksum_sha256(None).build()).collect();
    assert_eq!(complete(bare).send().await.err().context("no checksums")?.code(), Some("InvalidRequest"));
    let named: Vec<CompletedPart> = parts.into_iter().map(|part| part.build()).collect();
    let short = complete(named.clone()).mpu_object_size(1000).send().await;
    assert_eq!(short.err().context("another size")?.code(), Some("InvalidRequest"));
    let done = complete(named).mpu_object_size(1001).send().await?;
    assert_eq!(done.checksum_type(), Some(&ChecksumType::Composite));
    assert!(done.checksum_sha256().context("checksum")?.ends_with("-2"));
    assert_eq!(server.object("b-1", "avatar/a").context("there")?.body, vec![7; 1001]);
    let head = client.head_object().bucket("b-1").key("avatar/a").part_number(1).send().await?;
    assert_eq!((head.parts_count(), head.content_length()), (Some(2), Some(1000)));
    Ok(())
}

#[tokio::test]
async fn small_parts_and_foreign_owners_are_refused() -> anyhow::Result<()> {
    let server = EmbeddedS3::start()?;
    server.create_bucket("b-1");
    let client = server.client();
    let id = client.create_multipart_upload().bucket("b-1").key("a").send().await?.upload_id.context("id")?;
    let mut parts = CompletedMultipartUpload::builder();
    for number in 1..=2 {
        let part = client.upload_part().bucket("b-1").key("a").upload_id(&id).part_number(number);
        let part = part.body(ByteStream::from_static(b"small")).send().await?;
        let named = CompletedPart::builder().part_number(number).set_e_tag(part.e_tag);
        parts = parts.parts(named.set_checksum_crc32(part.checksum_crc32).build());
    }
    let complete = client.complete_multipart_upload().bucket("b-1").key("a").upload_id(&id);
    let complete = complete.multipart_upload(parts.build()).send().await;
    assert_eq!(complete.err().context("too small")?.code(), Some("EntityTooSmall"));

    let list = client.list_objects_v2().bucket("b-1");
    list.clone().expected_bucket_owner(server.account()).send().await?;
    let other = list.expected_bucket_owner("999999999999").send().await;
    assert_eq!(other.err().context("another owner")?.code(), Some("AccessDenied"));
    Ok(())
}

#[tokio::test]
async fn a_key_has_at_most_1024_bytes() -> anyhow::Result<()> {
    let server = EmbeddedS3::start()?;
    server.create_bucket("b-1");
    let put = |key: String| server.client().put_object().bucket("b-1").key(key).send();
    let longest = "é".repeat(512);
    put(longest.clone()).await?;
    let refused = put(format!("{longest}a")).await.err().context("1025 bytes")?;
    assert_eq!(refused.code(), Some("KeyTooLongError"));
    assert_eq!(server.keys("b-1"), [longest]);
    Ok(())
}

#[tokio::test]
async fn a_service_far_away_and_in_demand() -> anyhow::Result<()> {
    const ASKED: u64 = 50;
    let server = EmbeddedS3::start()?;
    server.put("b-1", "a", png(1));
    let client = once(&server);
    server.reset_requests();
    let latency = Duration::from_millis(150);
    server.strain(Strain { latency, per_second: Some(1) });
    let started = Instant::now();
    let heads = (0..ASKED).map(|_| client.head_object().bucket("b-1").key("a").send());
    let answers = futures::future::join_all(heads).await;
    assert!(started.elapsed() >= latency);
    let refused: Vec<u16> = answers
        .iter()
        .filter_map(|answer| answer.as_ref().err()?.raw_response().map(|raw| raw.status().as_u16()))
        .collect();
    let admitted = ASKED - refused.len() as u64;
    assert!(admitted <= started.elapsed().as_secs() + 2, "{admitted} were admitted");
    assert!(refused.iter().all(|status| *status == 503), "{refused:?}");
    let sum = |of: fn(&Tick) -> u64| server.ticks("HeadObject").iter().map(of).sum::<u64>();
    assert_eq!(sum(|tick| tick.refused), refused.len() as u64);
    assert_eq!(sum(|tick| tick.admitted + tick.refused), ASKED);
    assert_eq!(server.requests().values().sum::<u64>(), ASKED, "what is refused is billed too");
    server.strain(Strain::default());
    server.reset_requests();
    client.head_object().bucket("b-1").key("a").send().await?;
    assert_eq!(server.ticks("HeadObject").iter().map(|tick| (tick.admitted, tick.refused)).max(), Some((1, 0)));
    Ok(())
}

#[tokio::test]
async fn buckets_are_filled_and_emptied_without_requests() -> anyhow::Result<()> {
    let server = EmbeddedS3::start()?;
    (0..3).for_each(|n| server.put("b-1", &format!("image/{n}"), png(n)));
    server.put_twins("b-1", "b-2", |key| key.replacen("image/", "avatar/", 1));
    assert_eq!(server.keys("b-2"), ["avatar/0", "avatar/1", "avatar/2"]);
    let twin = server.client().head_object().bucket("b-2").key("avatar/1").send().await?;
    let object = server.object("b-1", "image/1").context("there")?;
    assert_eq!(twin.e_tag(), Some(object.quoted_e_tag().as_str()));
    server.drop_bucket("b-2");
    assert!(server.client().head_bucket().bucket("b-2").send().await.is_err());
    assert_eq!(server.keys("b-1").len(), 3);
    Ok(())
}

/// Usable from blocking code, and gone when dropped.
#[test]
fn it_stops_when_dropped() -> anyhow::Result<()> {
    let server = EmbeddedS3::start()?;
    let address = server.endpoint().trim_start_matches("http://").to_owned();
    assert!(std::net::TcpStream::connect(&address).is_ok());
    drop(server);
    assert!(std::net::TcpStream::connect(&address).is_err());
    Ok(())
}
