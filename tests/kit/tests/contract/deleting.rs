//! DeleteObjects and its verdicts; buckets.

use anyhow::Context;
use aws_sdk_s3::operation::delete_objects::DeleteObjectsOutput;
use aws_sdk_s3::types::{Delete, ObjectIdentifier};

use crate::conditions::WRONG;
use crate::subject::{Subject, refusal};

async fn delete(subject: &Subject, objects: &[(&str, Option<&str>)]) -> anyhow::Result<DeleteObjectsOutput> {
    let named = objects.iter().map(|(key, e_tag)| {
        ObjectIdentifier::builder().key(*key).set_e_tag(e_tag.map(str::to_owned)).build().context("no key")
    });
    let delete = Delete::builder().set_objects(Some(named.collect::<Result<_, _>>()?)).build()?;
    Ok(subject.client.delete_objects().bucket(&subject.bucket).delete(delete).send().await?)
}

pub(crate) async fn deleting_many_gives_a_verdict_each(subject: &Subject) -> anyhow::Result<()> {
    let quoted = subject.put("image/quoted", "1").await?;
    let bare = subject.put("image/bare", "2").await?;
    subject.put("image/changed", "3").await?;
    subject.put("image/unconditional", "4").await?;
    let verdicts = delete(
        subject,
        &[
            ("image/quoted", Some(&quoted)),
            ("image/bare", Some(bare.trim_matches('"'))),
            ("image/changed", Some(WRONG)),
            ("image/unconditional", None),
        ],
    )
    .await?;
    let mut deleted: Vec<_> = verdicts.deleted().iter().filter_map(|object| object.key()).collect();
    deleted.sort_unstable();
    assert_eq!(deleted, ["image/bare", "image/quoted", "image/unconditional"]);
    let errors: Vec<_> = verdicts.errors().iter().map(|error| (error.key(), error.code())).collect();
    assert_eq!(errors, [(Some("image/changed"), Some("PreconditionFailed"))]);
    assert_eq!(subject.keys().await?, ["image/changed"]);
    Ok(())
}

pub(crate) async fn deleting_what_is_absent_succeeds(subject: &Subject) -> anyhow::Result<()> {
    subject.client.delete_object().bucket(&subject.bucket).key("image/none").send().await?;
    let verdicts = delete(subject, &[("image/none", None)]).await?;
    assert_eq!((verdicts.deleted().len(), verdicts.errors().len()), (1, 0));
    Ok(())
}

pub(crate) async fn a_bucket_lives_and_dies(subject: &Subject) -> anyhow::Result<()> {
    let name = format!("{}-two", subject.bucket);
    subject.client.create_bucket().bucket(&name).send().await?;
    subject.client.head_bucket().bucket(&name).send().await?;
    let buckets = subject.client.list_buckets().send().await?;
    assert!(buckets.buckets().iter().any(|bucket| bucket.name() == Some(&name)));
    let versioning = subject.client.get_bucket_versioning().bucket(&name).send().await?;
    assert_eq!(versioning.status(), None);
    let location = subject.client.get_bucket_location().bucket(&name).send().await;
    assert_eq!(location.is_ok(), subject.traits.tells_locations);
    subject.client.put_object().bucket(&name).key("a").send().await?;
    assert_eq!(refusal(subject.client.delete_bucket().bucket(&name).send().await)?.0, 409);
    subject.client.delete_object().bucket(&name).key("a").send().await?;
    subject.client.delete_bucket().bucket(&name).send().await?;
    assert_eq!(refusal(subject.client.head_bucket().bucket(&name).send().await)?.0, 404);
    Ok(())
}
