//! Multipart uploads and copies.

use anyhow::Context;
use aws_sdk_s3::operation::complete_multipart_upload::builders::CompleteMultipartUploadFluentBuilder;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};

use crate::subject::{Subject, assert_precondition_failed, refusal};

/// The least size of a part that is not the last.
const PART: usize = 5 << 20;

fn bytes() -> Vec<u8> {
    (0..PART + 1000).map(|index| u8::try_from(index % 251).unwrap_or(0)).collect()
}

/// Copies `image/a` to a key in two ranges, up to but without completing it.
async fn copied_in_parts(subject: &Subject, key: &str) -> anyhow::Result<CompleteMultipartUploadFluentBuilder> {
    let create = subject.client.create_multipart_upload().bucket(&subject.bucket).key(key);
    let create = create.content_type("image/png").cache_control("max-age=60").metadata("owner", "me");
    let id = create.tagging("class=avatar").send().await?.upload_id.context("no upload id")?;
    let mut parts = CompletedMultipartUpload::builder();
    for (number, range) in [(1, format!("bytes=0-{}", PART - 1)), (2, format!("bytes={PART}-{}", PART + 999))] {
        let copy = subject.client.upload_part_copy().bucket(&subject.bucket).key(key).upload_id(&id);
        let copy = copy.part_number(number).copy_source(subject.source("image/a")).copy_source_range(range);
        let result = copy.send().await?.copy_part_result.context("no result")?;
        let part = CompletedPart::builder()
            .part_number(number)
            .e_tag(result.e_tag().context("no ETag")?)
            .set_checksum_crc32(result.checksum_crc32().map(str::to_owned))
            .build();
        parts = parts.parts(part);
    }
    let complete = subject.client.complete_multipart_upload().bucket(&subject.bucket).key(key);
    Ok(complete.upload_id(id).multipart_upload(parts.build()))
}

pub(crate) async fn a_multipart_copy_is_whole(subject: &Subject) -> anyhow::Result<()> {
    let source_e_tag = subject.put("image/a", bytes()).await?;
    let done = copied_in_parts(subject, "avatar/a").await?.send().await?;
    assert!(done.e_tag().context("no ETag")?.ends_with("-2\""));
    assert_eq!(subject.get("avatar/a").await?, bytes());
    let head = subject.client.head_object().bucket(&subject.bucket).key("avatar/a").send().await?;
    assert_eq!(head.e_tag(), done.e_tag());
    assert_eq!((head.content_type(), head.cache_control()), (Some("image/png"), Some("max-age=60")));
    assert_eq!(head.metadata().and_then(|all| all.get("owner")).map(String::as_str), Some("me"));
    let tags = subject.client.get_object_tagging().bucket(&subject.bucket).key("avatar/a").send().await?;
    assert_eq!(tags.tag_set().iter().map(|tag| (tag.key(), tag.value())).collect::<Vec<_>>(), [("class", "avatar")]);

    let id = subject.client.create_multipart_upload().bucket(&subject.bucket).key("avatar/b").send().await?;
    let copy = subject.client.upload_part_copy().bucket(&subject.bucket).key("avatar/b").part_number(1);
    let copy = copy.set_upload_id(id.upload_id).copy_source(subject.source("image/a"));
    let stale = copy.clone().copy_source_if_match(crate::conditions::WRONG).send().await;
    assert_precondition_failed("UploadPartCopy with a wrong source if-match", stale)?;
    copy.copy_source_if_match(source_e_tag).send().await?;
    Ok(())
}

pub(crate) async fn a_copy_of_a_multipart_object(subject: &Subject) -> anyhow::Result<()> {
    let plain = subject.put("image/a", bytes()).await?;
    let in_parts = copied_in_parts(subject, "image/in-parts").await?.send().await?.e_tag.context("no ETag")?;
    let copy = subject.client.copy_object().copy_source(subject.source("image/in-parts"));
    let copied = copy.bucket(&subject.bucket).key("avatar/a").send().await?;
    let e_tag = copied.copy_object_result.and_then(|result| result.e_tag).context("no ETag")?;
    let expected = if subject.traits.copy_of_multipart_has_md5 { &plain } else { &in_parts };
    assert_eq!(e_tag.trim_matches('"'), expected.trim_matches('"'));
    assert_eq!(subject.get("avatar/a").await?, bytes());
    Ok(())
}

pub(crate) async fn complete_conditions(subject: &Subject) -> anyhow::Result<()> {
    subject.put("image/a", bytes()).await?;
    let there = subject.put("avatar/a", "there").await?;
    let complete = copied_in_parts(subject, "avatar/a").await?;
    assert_precondition_failed("if-none-match *", complete.clone().if_none_match("*").send().await)?;
    assert_eq!(subject.get("avatar/a").await?, b"there");
    let complete = copied_in_parts(subject, "avatar/a").await?;
    complete.if_match(there).send().await.context("right if-match")?;
    let complete = copied_in_parts(subject, "avatar/new").await?;
    complete.if_none_match("*").send().await.context("if-none-match * on an absent key")?;
    Ok(())
}

pub(crate) async fn an_abandoned_upload_is_listed_and_aborted(subject: &Subject) -> anyhow::Result<()> {
    subject.put("image/a", bytes()).await?;
    let complete = copied_in_parts(subject, "avatar/a").await?;
    let uploads = || subject.client.list_multipart_uploads().bucket(&subject.bucket).send();
    let listed = uploads().await?;
    let upload = listed.uploads().first().context("no upload listed")?;
    assert_eq!(upload.key(), Some("avatar/a"));
    let id = upload.upload_id().context("no id")?;
    let parts = subject.client.list_parts().bucket(&subject.bucket).key("avatar/a").upload_id(id).send().await?;
    let sizes: Vec<_> = parts.parts().iter().map(|part| (part.part_number(), part.size())).collect();
    assert_eq!(sizes, [(Some(1), Some(i64::try_from(PART)?)), (Some(2), Some(1000))]);
    let abort = subject.client.abort_multipart_upload().bucket(&subject.bucket).key("avatar/a").upload_id(id);
    abort.send().await?;
    assert_eq!(uploads().await?.uploads().len(), 0);
    assert_eq!(refusal(complete.send().await)?, (404, Some("NoSuchUpload".to_owned())));
    assert_eq!(subject.keys().await?, ["image/a"]);
    Ok(())
}
