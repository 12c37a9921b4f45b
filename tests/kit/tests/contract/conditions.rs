//! Conditional requests: what the migration's promises stand on.

use anyhow::Context;
use aws_sdk_s3::operation::copy_object::builders::CopyObjectFluentBuilder;
use aws_sdk_s3::primitives::ByteStream;

use crate::subject::{Subject, assert_precondition_failed, refusal};

/// The ETag of no object.
pub(crate) const WRONG: &str = "\"00000000000000000000000000000000\"";

pub(crate) async fn put_conditions(subject: &Subject) -> anyhow::Result<()> {
    let e_tag = subject.put("image/a", "one").await?;
    let put = |body: &'static [u8]| {
        let put = subject.client.put_object().bucket(&subject.bucket).key("image/a");
        put.body(ByteStream::from_static(body))
    };
    assert_precondition_failed("if-none-match *", put(b"two").if_none_match("*").send().await)?;
    assert_precondition_failed("wrong if-match", put(b"two").if_match(WRONG).send().await)?;
    assert_eq!(subject.get("image/a").await?, b"one");
    put(b"two").if_match(&e_tag).send().await.context("right if-match")?;
    assert_eq!(subject.get("image/a").await?, b"two");
    put(b"new").key("image/b").if_none_match("*").send().await.context("if-none-match * on an absent key")?;
    Ok(())
}

fn copy(subject: &Subject) -> CopyObjectFluentBuilder {
    let copy = subject.client.copy_object().copy_source(subject.source("image/a"));
    copy.bucket(&subject.bucket).key("avatar/a")
}

pub(crate) async fn copy_source_conditions(subject: &Subject) -> anyhow::Result<()> {
    let e_tag = subject.put("image/a", "one").await?;
    assert_precondition_failed("wrong source if-match", copy(subject).copy_source_if_match(WRONG).send().await)?;
    let unless = copy(subject).copy_source_if_none_match(&e_tag).send().await;
    assert_precondition_failed("matching source if-none-match", unless)?;
    assert_eq!(subject.keys().await?, ["image/a"]);
    copy(subject).copy_source_if_match(&e_tag).send().await.context("right source if-match")?;
    copy(subject).copy_source_if_none_match(WRONG).send().await.context("other source if-none-match")?;
    Ok(())
}

pub(crate) async fn copy_target_conditions(subject: &Subject) -> anyhow::Result<()> {
    let e_tag = subject.put("image/a", "one").await?;
    copy(subject).if_none_match("*").copy_source_if_match(&e_tag).send().await.context("if-none-match *, absent")?;
    assert_precondition_failed("if-none-match *, present", copy(subject).if_none_match("*").send().await)?;
    subject.put("image/a", "two").await?;
    assert_precondition_failed("wrong target if-match", copy(subject).if_match(WRONG).send().await)?;
    assert_eq!(subject.get("avatar/a").await?, b"one");
    copy(subject).if_match(&e_tag).send().await.context("right target if-match")?;
    assert_eq!(subject.get("avatar/a").await?, b"two");
    Ok(())
}

pub(crate) async fn read_conditions(subject: &Subject) -> anyhow::Result<()> {
    let e_tag = subject.put("image/a", "one").await?;
    let get = || subject.client.get_object().bucket(&subject.bucket).key("image/a");
    let head = || subject.client.head_object().bucket(&subject.bucket).key("image/a");
    assert_precondition_failed("GET if-match", get().if_match(WRONG).send().await)?;
    assert_precondition_failed("HEAD if-match", head().if_match(WRONG).send().await)?;
    assert_eq!(refusal(get().if_none_match(&e_tag).send().await)?.0, 304);
    assert_eq!(refusal(head().if_none_match(&e_tag).send().await)?.0, 304);
    get().if_match(&e_tag).send().await?;
    head().if_match(&e_tag).if_none_match(WRONG).send().await?;
    Ok(())
}

pub(crate) async fn delete_conditions(subject: &Subject) -> anyhow::Result<()> {
    let e_tag = subject.put("image/a", "one").await?;
    let delete = || subject.client.delete_object().bucket(&subject.bucket).key("image/a");
    assert_precondition_failed("wrong if-match", delete().if_match(WRONG).send().await)?;
    assert_eq!(subject.keys().await?, ["image/a"]);
    delete().if_match(&e_tag).send().await.context("right if-match")?;
    assert_eq!(subject.keys().await?, [""; 0]);
    let gone = refusal(delete().if_match(&e_tag).send().await)?;
    assert_eq!(gone.0, subject.traits.delete_of_absent_if_match, "if-match on an absent key");
    Ok(())
}
