//! What a server can do, measured: each row of the page of servers is a probe here, or one of the program's own canaries.

use anyhow::{Context, Result};
use aws_sdk_s3::Client;
use aws_sdk_s3::config::Credentials;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};

use crate::conditions::WRONG;
use crate::hostile;
use crate::subject::Subject;

/// The probes by the name of their row, in the order of the page.
pub(crate) const PROBES: [&str; 10] = [
    "`If-None-Match: *` on PutObject",
    "`If-None-Match: *` on CompleteMultipartUpload",
    "`If-Match` on GetObject",
    "copy keeps headers and metadata",
    "copy keeps tags",
    "ETag of a copy of a multipart object",
    "GetObjectAttributes",
    "hostile keys that come back from a listing as they were written",
    "tells the versioning of a bucket",
    "a wrong secret",
];

/// Runs one probe. What the server does is a word, also where it fails.
pub(crate) async fn probe(name: &str, subject: &Subject) -> String {
    let measured = match PROBES.iter().position(|known| *known == name) {
        Some(0) => put_if_absent(subject).await,
        Some(1) => complete_if_absent(subject).await,
        Some(2) => get_if_match(subject).await,
        Some(3) => keeps_headers(subject).await,
        Some(4) => keeps_tags(subject).await,
        Some(5) => etag_of_multipart_copy(subject).await,
        Some(6) => attributes(subject).await,
        Some(7) => hostile_keys(subject).await,
        Some(8) => versioning(subject).await,
        Some(9) => wrong_secret(subject).await,
        Some(_) | None => Err(anyhow::anyhow!("no such probe: {name}")),
    };
    measured.unwrap_or_else(|_| "fails".to_owned())
}

/// The word for a request that should have been refused with 412.
fn condition<T, E: ProvideErrorMetadata>(result: &Result<T, SdkError<E>>) -> String {
    match result {
        Ok(_) => "**ignored**".to_owned(),
        Err(error) => match error.raw_response().map(|response| response.status().as_u16()) {
            Some(412) => "enforced".to_owned(),
            Some(status) => format!("refused ({status})"),
            None => "fails".to_owned(),
        },
    }
}

/// The word for a request that should succeed.
fn support<T, E: ProvideErrorMetadata>(result: &Result<T, SdkError<E>>) -> String {
    match result {
        Ok(_) => "yes".to_owned(),
        Err(error) => match error.raw_response().map(|response| response.status().as_u16()) {
            Some(200) => "cannot be read".to_owned(),
            Some(status) => format!("no ({status})"),
            None => "fails".to_owned(),
        },
    }
}

fn yes(holds: bool) -> String {
    if holds { "yes" } else { "no" }.to_owned()
}

async fn put_if_absent(subject: &Subject) -> Result<String> {
    subject.put("image/a", "one").await?;
    let put = subject.client.put_object().bucket(&subject.bucket).key("image/a").if_none_match("*");
    Ok(condition(&put.body(ByteStream::from_static(b"two")).send().await))
}

/// Puts `parts` as a multipart object.
async fn multipart(subject: &Subject, key: &str, if_none_match: Option<&str>) -> Result<String> {
    let (client, bucket) = (&subject.client, &subject.bucket);
    let upload = client.create_multipart_upload().bucket(bucket).key(key).send().await?;
    let id = upload.upload_id().context("no upload id")?;
    let body = ByteStream::from(vec![7; 1024]);
    let part = client.upload_part().bucket(bucket).key(key).upload_id(id).part_number(1).body(body).send().await?;
    let part = CompletedPart::builder().part_number(1).set_e_tag(part.e_tag).build();
    let parts = CompletedMultipartUpload::builder().parts(part).build();
    let complete = client.complete_multipart_upload().bucket(bucket).key(key).upload_id(id).multipart_upload(parts);
    Ok(condition(&complete.set_if_none_match(if_none_match.map(str::to_owned)).send().await))
}

async fn complete_if_absent(subject: &Subject) -> Result<String> {
    subject.put("image/a", "one").await?;
    multipart(subject, "image/a", Some("*")).await
}

async fn get_if_match(subject: &Subject) -> Result<String> {
    subject.put("image/a", "one").await?;
    Ok(condition(&subject.client.get_object().bucket(&subject.bucket).key("image/a").if_match(WRONG).send().await))
}

async fn keeps_headers(subject: &Subject) -> Result<String> {
    let (client, bucket) = (&subject.client, &subject.bucket);
    let put = client.put_object().bucket(bucket).key("image/a").body(ByteStream::from_static(b"x"));
    put.content_type("image/png").cache_control("max-age=60").metadata("owner", "me").send().await?;
    client.copy_object().copy_source(subject.source("image/a")).bucket(bucket).key("avatar/a").send().await?;
    let head = client.head_object().bucket(bucket).key("avatar/a").send().await?;
    let owner = head.metadata().and_then(|metadata| metadata.get("owner")).map(String::as_str);
    let kept = (head.content_type(), head.cache_control(), owner);
    Ok(yes(kept == (Some("image/png"), Some("max-age=60"), Some("me"))))
}

async fn keeps_tags(subject: &Subject) -> Result<String> {
    let (client, bucket) = (&subject.client, &subject.bucket);
    let put = client.put_object().bucket(bucket).key("image/a").body(ByteStream::from_static(b"x"));
    put.tagging("class=avatar").send().await?;
    client.copy_object().copy_source(subject.source("image/a")).bucket(bucket).key("avatar/a").send().await?;
    let tags = client.get_object_tagging().bucket(bucket).key("avatar/a").send().await;
    Ok(match &tags {
        Ok(tags) => yes(tags.tag_set().len() == 1),
        Err(_) => support(&tags),
    })
}

async fn etag_of_multipart_copy(subject: &Subject) -> Result<String> {
    let (client, bucket) = (&subject.client, &subject.bucket);
    multipart(subject, "image/m", None).await?;
    client.copy_object().copy_source(subject.source("image/m")).bucket(bucket).key("avatar/m").send().await?;
    let head = client.head_object().bucket(bucket).key("avatar/m").send().await?;
    let parts = head.e_tag().context("no ETag")?.contains('-');
    Ok(if parts { "stays `-N`" } else { "the MD5 of its bytes" }.to_owned())
}

async fn attributes(subject: &Subject) -> Result<String> {
    subject.put("image/a", "one").await?;
    let ask = subject.client.get_object_attributes().bucket(&subject.bucket).key("image/a");
    Ok(support(&ask.object_attributes(aws_sdk_s3::types::ObjectAttributes::Etag).send().await))
}

async fn hostile_keys(subject: &Subject) -> Result<String> {
    for key in hostile::KEYS {
        // What is refused is not listed either.
        drop(subject.put(key, key).await);
    }
    let listed = subject.keys().await?;
    let kept = hostile::KEYS.iter().filter(|key| listed.iter().any(|listed| listed == *key)).count();
    Ok(format!("{kept} of {}", hostile::KEYS.len()))
}

async fn versioning(subject: &Subject) -> Result<String> {
    Ok(support(&subject.client.get_bucket_versioning().bucket(&subject.bucket).send().await))
}

async fn wrong_secret(subject: &Subject) -> Result<String> {
    let wrong = Credentials::new(&subject.access_key, "not the secret", None, None, "test");
    let config = subject.client.config().to_builder().credentials_provider(wrong).build();
    let listed = Client::from_conf(config).list_objects_v2().bucket(&subject.bucket).send().await;
    Ok(if listed.is_ok() { "**accepted**" } else { "refused" }.to_owned())
}
