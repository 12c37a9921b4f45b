//! Answers that no well-behaved server gives, scripted in process.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, bail};
use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::{BehaviorVersion, Config, Credentials, Region};
use aws_smithy_http_client::test_util::infallible_client_fn;

use super::delete::{Verdict, delete_batch};
use super::room::Room;
use super::upload::{Attributes, Upload};
use super::*;
use crate::pace::Throttles;
use crate::path::KeyError;

const SECRET: &str = "AKIAPLANTEDCANARY";

/// A bucket whose every request gets this answer, chosen by method and URI. Nothing is retried by the SDK.
pub(super) fn bucket(answer: impl Fn(&str, &str) -> (u16, String) + Send + Sync + 'static) -> Bucket {
    let http = infallible_client_fn(move |request| {
        let (status, body) = answer(request.method().as_str(), &request.uri().to_string());
        let mut response = http::Response::new(body);
        *response.status_mut() = http::StatusCode::from_u16(status).unwrap_or_default();
        response.headers_mut().insert("x-amz-request-id", http::HeaderValue::from_static("REQ1"));
        response
    });
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .credentials_provider(Credentials::new(SECRET, "planted-secret", None, None, "test"))
        .region(Region::new("us-east-1"))
        .endpoint_url("http://localhost:9")
        .force_path_style(true)
        .retry_config(RetryConfig::disabled())
        .http_client(http)
        .build();
    Bucket::new(Client::from_conf(config), "legacy-s3", clock::Clock::default(), Throttles::default(), Room::default())
}

fn error_body(code: &str) -> String {
    format!("<Error><Code>{code}</Code><Message>said so</Message><AWSAccessKeyId>{SECRET}</AWSAccessKeyId></Error>")
}

fn object(key: &str) -> Result<ObjectInfo, KeyError> {
    let etag = ETag::new("900150983cd24fb0d6963f7d28e17f72");
    Ok(ObjectInfo { key: ObjectKey::new(key)?, size: 3, etag, modified_ms: 0 })
}

/// A CopyObject that is answered in this way, while a HEAD says whether the source is there.
async fn copy(status: u16, body: &str, source_is_there: bool) -> anyhow::Result<Result<CopyEnd, StoreError>> {
    let body = body.to_owned();
    let bucket = bucket(move |method, _| match (method, source_is_there) {
        ("HEAD", true) => (200, String::new()),
        ("HEAD", false) => (404, String::new()),
        _ => (status, body.clone()),
    });
    let copier = Copier::new(bucket.clone(), bucket, PartSizes { threshold: 100, part_size: 10 });
    let (source, target) = (object("image/avatar-1.png")?, ObjectKey::new("avatar/avatar-1.png")?);
    Ok(copier.copy(&source, &target, &CopyGuard::Absent).await)
}

#[tokio::test]
async fn a_copy_is_done_only_when_the_answer_names_the_new_etag() -> anyhow::Result<()> {
    let sha256 = "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=";
    let full = format!(
        "<CopyObjectResult><ETag>&quot;900150983cd24fb0d6963f7d28e17f72&quot;</ETag>\
         <ChecksumSHA256>{sha256}</ChecksumSHA256></CopyObjectResult>"
    );
    let CopyEnd::Copied { etag, sha256 } = copy(200, &full, true).await?? else { bail!("not copied") };
    assert_eq!(etag.as_str(), "900150983cd24fb0d6963f7d28e17f72");
    assert_eq!(sha256.map(|digest| digest.0.starts_with(&[0xba, 0x78, 0x16, 0xbf])), Some(true));
    for body in ["", "<CopyObjectResult></CopyObjectResult>", "<CopyObjectResult><ETag/></CopyObjectResult>"] {
        assert_eq!(copy(200, body, true).await??, CopyEnd::Unsettled, "{body}");
    }
    Ok(())
}

#[tokio::test]
async fn what_cannot_be_judged_is_unsettled() -> anyhow::Result<()> {
    for (status, code) in [
        (200, "InternalError"),
        (200, "SlowDown"),
        (412, "PreconditionFailed"),
        (409, "ConditionalRequestConflict"),
        (500, "InternalError"),
        (504, "RequestTimeout"),
    ] {
        assert_eq!(copy(status, &error_body(code), true).await??, CopyEnd::Unsettled, "{status} {code}");
    }
    Ok(())
}

#[tokio::test]
async fn a_missing_key_is_the_source_only_if_the_source_is_missing() -> anyhow::Result<()> {
    assert_eq!(copy(404, &error_body("NoSuchKey"), false).await??, CopyEnd::MissingSource);
    assert_eq!(copy(400, &error_body("InvalidCopySource"), false).await??, CopyEnd::MissingSource);
    Ok(())
}

#[tokio::test]
async fn errors_have_kinds_and_keep_secrets() -> anyhow::Result<()> {
    for (status, code, kind) in [
        (403, "AccessDenied", StoreErrorKind::Forbidden),
        (404, "NoSuchBucket", StoreErrorKind::NoSuchBucket),
        (403, "InvalidObjectState", StoreErrorKind::Archived),
        (403, "ObjectNotInActiveTierError", StoreErrorKind::Archived),
        (403, "SignatureDoesNotMatch", StoreErrorKind::Credentials),
        (400, "ExpiredToken", StoreErrorKind::Credentials),
        (503, "SlowDown", StoreErrorKind::Throttled),
        (400, "InvalidRequest", StoreErrorKind::Other),
    ] {
        let error = copy(status, &error_body(code), true).await?.err().context("no error")?;
        assert_eq!(error.kind, kind, "{code}");
        let text = format!("{error} {error:?}");
        assert!(text.contains(&format!("{code}: said so (HTTP {status}, request REQ1)")), "{text}");
        assert!(!text.contains(SECRET) && !text.contains("planted-secret"), "{text}");
    }
    assert!(
        copy(403, &error_body("AccessDenied"), true)
            .await?
            .err()
            .context("no error")?
            .message
            .contains("s3:PutObjectTagging")
    );
    Ok(())
}

#[tokio::test]
async fn a_head_tells_absent_from_forbidden() -> anyhow::Result<()> {
    let key = ObjectKey::new("a\nb")?;
    assert_eq!(bucket(|_, _| (404, String::new())).head(&key).await?, None);
    let error = bucket(|_, _| (403, String::new())).head(&key).await.err().context("no error")?;
    assert_eq!((error.kind, error.subject.as_str()), (StoreErrorKind::Forbidden, "s3://legacy-s3/a\\nb"));
    assert!(error.message.contains("s3:ListBucket"), "{error}");
    Ok(())
}

#[tokio::test]
async fn a_listing_may_exceed_its_limit_but_not_hide_its_rest() -> anyhow::Result<()> {
    let entry = |number: usize| {
        format!("<Contents><Key>image/%2B+{number}</Key><Size>{number}</Size><ETag>\"e\"</ETag></Contents>")
    };
    let entries: String = (0..2500).map(entry).collect();
    let page = |rest: &str| {
        let body = format!("<ListBucketResult>{entries}<EncodingType>url</EncodingType>{rest}</ListBucketResult>");
        bucket(move |_, _| (200, body.clone()))
    };
    let listed = page("<IsTruncated>false</IsTruncated>").list("image/", None, None).await?;
    assert_eq!(listed.objects.len(), 2500);
    assert_eq!(listed.objects.last().context("empty")?.key.as_str(), "image/+ 2499");
    let error = page("<IsTruncated>true</IsTruncated>").list("image/", None, None).await.err().context("no error")?;
    assert!(error.message.contains("no token"), "{error}");
    Ok(())
}

#[tokio::test]
async fn every_key_of_a_batch_gets_its_verdict() -> anyhow::Result<()> {
    let body = "<DeleteResult>\
        <Error><Key>changed</Key><Code>PreconditionFailed</Code><Message/></Error>\
        <Deleted><Key>gone</Key></Deleted>\
        <Error><Key>slow</Key><Code>SlowDown</Code><Message>later</Message></Error>\
        <Error><Key>absent</Key><Code>NoSuchKey</Code></Error>\
        <Error><Key>denied</Key><Code>AccessDenied</Code></Error></DeleteResult>";
    let bucket = bucket(|_, _| (200, body.to_owned()));
    let item = |key: &str| Ok::<_, KeyError>(DeleteItem { key: ObjectKey::new(key)?, etag: ETag::new("e") });
    let items = ["gone", "changed", "absent", "slow", "denied", "unsaid"];
    let items = items.into_iter().map(item).collect::<Result<Vec<_>, _>>()?;
    let verdicts = delete_batch(&bucket, &items.iter().collect::<Vec<_>>()).await;
    let verdicts = verdicts.ok().context("no verdicts")?;
    assert_eq!(
        verdicts.iter().take(4).cloned().collect::<Vec<_>>(),
        [
            Verdict::End(DeleteEnd::Deleted),
            Verdict::End(DeleteEnd::Changed),
            Verdict::End(DeleteEnd::Deleted),
            Verdict::Again("SlowDown: later".to_owned()),
        ]
    );
    for verdict in verdicts.iter().skip(4) {
        assert!(matches!(verdict, Verdict::End(DeleteEnd::Failed(_))), "{verdict:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_body_of_another_length_is_no_object() -> anyhow::Result<()> {
    let short = || bucket(|_, _| (200, "ab".to_owned()));
    // Without the expected ETag in the answer it is another object.
    assert_eq!(short().sha256(&object("a")?).await?, None);
    assert_eq!(bucket(|_, _| (412, String::new())).sha256(&object("a")?).await?, None);
    Ok(())
}

#[tokio::test]
async fn only_uploads_of_the_same_key_that_are_a_day_old_are_aborted() -> anyhow::Result<()> {
    let upload = |key: &str, id: &str, begun: &str| {
        format!("<Upload><Key>{key}</Key><UploadId>{id}</UploadId><Initiated>{begun}</Initiated></Upload>")
    };
    let uploads = [
        upload("avatar/a", "stale", "2020-01-01T00:00:00Z"),
        upload("avatar/a", "young", "2999-01-01T00:00:00Z"),
        upload("avatar/a2", "other", "2020-01-01T00:00:00Z"),
    ];
    let listing = format!("<ListMultipartUploadsResult>{}</ListMultipartUploadsResult>", uploads.concat());
    let aborted = Arc::new(Mutex::new(Vec::new()));
    let seen = aborted.clone();
    let bucket = bucket(move |method, uri| match method {
        "GET" => (200, listing.clone()),
        "DELETE" => {
            seen.lock().unwrap_or_else(PoisonError::into_inner).push(uri.to_owned());
            (204, String::new())
        }
        _ => {
            (200, "<InitiateMultipartUploadResult><UploadId>new</UploadId></InitiateMultipartUploadResult>".to_owned())
        }
    });
    let attributes = Attributes { headers: BTreeMap::new(), tagging: None, checksum: None };
    let begun = Upload::begin(&bucket, &ObjectKey::new("avatar/a")?, 3, attributes).await;
    let upload = begun.ok().context("not begun")?;
    assert_eq!(upload.id(), "new");
    let aborted = aborted.lock().unwrap_or_else(PoisonError::into_inner).clone();
    assert!(matches!(aborted.as_slice(), [uri] if uri.contains("uploadId=stale")), "{aborted:?}");
    Ok(())
}
