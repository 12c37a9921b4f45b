//! CopyObject, GetObject, tags.

use std::time::{Duration, SystemTime};

use anyhow::Context;
use avatar_migrate_kit::png;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::Credentials;
use aws_sdk_s3::primitives::{ByteStream, DateTime};
use aws_sdk_s3::types::{MetadataDirective, TaggingDirective};
use aws_smithy_async::time::StaticTimeSource;

use crate::subject::{Subject, refusal};

/// Puts an object with every header that S3 keeps.
async fn put_dressed(subject: &Subject, key: &str) -> anyhow::Result<()> {
    let put = subject.client.put_object().bucket(&subject.bucket).key(key).body(ByteStream::from(png(1)));
    put.content_type("image/png")
        .cache_control("max-age=60")
        .content_disposition("inline; filename=\"a.png\"")
        .content_encoding("identity")
        .content_language("de")
        .expires(DateTime::from_secs(1_900_000_000))
        .metadata("owner", "Zoë & Söhne")
        .metadata("number", "1")
        .tagging("class=avatar&note=a%20b")
        .send()
        .await?;
    Ok(())
}

pub(crate) async fn a_copy_keeps_everything(subject: &Subject) -> anyhow::Result<()> {
    put_dressed(subject, "image/a").await?;
    let head = |key: &'static str| subject.client.head_object().bucket(&subject.bucket).key(key).send();
    let copied = subject.client.copy_object().copy_source(subject.source("image/a"));
    let copied = copied.bucket(&subject.bucket).key("avatar/a").send().await?;
    let (source, copy) = (head("image/a").await?, head("avatar/a").await?);
    let result = copied.copy_object_result().context("no result")?;
    let told = result.e_tag().context("no ETag")?;
    assert_eq!(Some(told.trim_matches('"')), source.e_tag().map(|e_tag| e_tag.trim_matches('"')));
    assert_eq!(told.starts_with('"'), subject.traits.copy_results_quote_e_tags);
    assert!(result.last_modified().is_some());
    assert_eq!(copy.e_tag(), source.e_tag());
    assert_eq!(copy.content_length(), source.content_length());
    assert_eq!(copy.content_type(), Some("image/png"));
    assert_eq!(copy.cache_control(), Some("max-age=60"));
    assert_eq!(copy.content_disposition(), Some("inline; filename=\"a.png\""));
    assert_eq!(copy.content_encoding(), Some("identity"));
    assert_eq!(copy.content_language(), Some("de"));
    assert_eq!(copy.expires_string(), source.expires_string());
    assert_eq!(copy.expires_string(), Some("Sun, 17 Mar 2030 17:46:40 GMT"));
    assert_eq!(copy.metadata(), source.metadata());
    assert_eq!(copy.metadata().and_then(|all| all.get("number")).map(String::as_str), Some("1"));
    assert_eq!(subject.get("avatar/a").await?, png(1));
    let tags = subject.client.get_object_tagging().bucket(&subject.bucket).key("avatar/a").send().await?;
    let mut tags: Vec<_> = tags.tag_set().iter().map(|tag| (tag.key(), tag.value())).collect();
    tags.sort_unstable();
    assert_eq!(tags, [("class", "avatar"), ("note", "a b")]);
    Ok(())
}

pub(crate) async fn directives_replace(subject: &Subject) -> anyhow::Result<()> {
    put_dressed(subject, "image/a").await?;
    let copy = subject.client.copy_object().copy_source(subject.source("image/a"));
    copy.bucket(&subject.bucket)
        .key("avatar/a")
        .metadata_directive(MetadataDirective::Replace)
        .content_type("image/webp")
        .metadata("owner", "me")
        .tagging_directive(TaggingDirective::Replace)
        .tagging("class=new")
        .send()
        .await?;
    let head = subject.client.head_object().bucket(&subject.bucket).key("avatar/a").send().await?;
    assert_eq!((head.content_type(), head.cache_control()), (Some("image/webp"), None));
    let metadata = head.metadata().context("no metadata")?;
    assert_eq!(metadata.iter().collect::<Vec<_>>(), [(&"owner".to_owned(), &"me".to_owned())]);
    let tags = subject.client.get_object_tagging().bucket(&subject.bucket).key("avatar/a").send().await?;
    assert_eq!(tags.tag_set().iter().map(|tag| (tag.key(), tag.value())).collect::<Vec<_>>(), [("class", "new")]);
    Ok(())
}

pub(crate) async fn a_missing_source_is_told(subject: &Subject) -> anyhow::Result<()> {
    let copy = subject.client.copy_object().copy_source(subject.source("image/none"));
    let copied = copy.bucket(&subject.bucket).key("avatar/none").send().await;
    assert_eq!(refusal(copied)?, (404, Some("NoSuchKey".to_owned())));
    let got = subject.client.get_object().bucket(&subject.bucket).key("image/none").send().await;
    assert_eq!(refusal(got)?, (404, Some("NoSuchKey".to_owned())));
    let head = subject.client.head_object().bucket(&subject.bucket).key("image/none").send().await;
    assert_eq!(refusal(head)?.0, 404);
    Ok(())
}

pub(crate) async fn a_missing_bucket_is_told(subject: &Subject) -> anyhow::Result<()> {
    let listed = subject.client.list_objects_v2().bucket("no-such-bucket-here").send().await;
    assert_eq!(refusal(listed)?, (404, Some("NoSuchBucket".to_owned())));
    let head = subject.client.head_bucket().bucket("no-such-bucket-here").send().await;
    assert_eq!(refusal(head)?.0, 404);
    Ok(())
}

pub(crate) async fn a_range_is_cut(subject: &Subject) -> anyhow::Result<()> {
    subject.put("image/a", "0123456789").await?;
    let get = |range: &str| subject.client.get_object().bucket(&subject.bucket).key("image/a").range(range).send();
    let part = get("bytes=2-4").await?;
    assert_eq!(part.content_range(), Some("bytes 2-4/10"));
    assert_eq!(part.body.collect().await?.to_vec(), b"234");
    assert_eq!(get("bytes=-3").await?.body.collect().await?.to_vec(), b"789");
    assert_eq!(get("bytes=7-99").await?.body.collect().await?.to_vec(), b"789");
    assert_eq!(refusal(get("bytes=10-").await)?.0, 416);
    Ok(())
}

pub(crate) async fn tags_are_kept_apart(subject: &Subject) -> anyhow::Result<()> {
    use aws_sdk_s3::types::{Tag, Tagging};
    let e_tag = subject.put("image/a", "x").await?;
    let tagging = || subject.client.get_object_tagging().bucket(&subject.bucket).key("image/a").send();
    assert_eq!(tagging().await?.tag_set().len(), 0);
    let tag = Tag::builder().key("state").value("moved").build()?;
    let set = Tagging::builder().tag_set(tag).build()?;
    subject.client.put_object_tagging().bucket(&subject.bucket).key("image/a").tagging(set).send().await?;
    assert_eq!(tagging().await?.tag_set().len(), 1);
    let head = subject.client.head_object().bucket(&subject.bucket).key("image/a").send().await?;
    assert_eq!((head.e_tag(), head.tag_count()), (Some(e_tag.as_str()), Some(1)));
    subject.client.delete_object_tagging().bucket(&subject.bucket).key("image/a").send().await?;
    assert_eq!(tagging().await?.tag_set().len(), 0);
    Ok(())
}

pub(crate) async fn a_wrong_secret_is_refused(subject: &Subject) -> anyhow::Result<()> {
    let wrong = Credentials::new(&subject.access_key, "not the secret", None, None, "test");
    let config = subject.client.config().to_builder().credentials_provider(wrong).build();
    let listed = Client::from_conf(config).list_objects_v2().bucket(&subject.bucket).send().await;
    assert_eq!(refusal(listed)?, (403, Some("SignatureDoesNotMatch".to_owned())), "{}", subject.endpoint);
    Ok(())
}

/// AWS: "RequestTimeTooSkewed". The right to delete is given for no longer than that.
pub(crate) async fn an_old_signature_is_refused(subject: &Subject) -> anyhow::Result<()> {
    for (minutes, refused) in [(14, false), (16, true)] {
        let signed = SystemTime::now() - Duration::from_secs(60 * minutes);
        let config = subject.client.config().to_builder().time_source(StaticTimeSource::new(signed));
        let config = config.disable_clock_skew_correction(true).build();
        let listed = Client::from_conf(config).list_objects_v2().bucket(&subject.bucket).send().await;
        if refused {
            assert_eq!(refusal(listed)?, (403, Some("RequestTimeTooSkewed".to_owned())), "{}", subject.endpoint);
        } else {
            listed?;
        }
    }
    Ok(())
}
