//! ListObjectsV2.

use std::time::{Duration, SystemTime};

use anyhow::Context;
use aws_sdk_s3::types::EncodingType;
use futures::future::try_join_all;

use crate::subject::Subject;

pub(crate) async fn keys_come_in_order(subject: &Subject) -> anyhow::Result<()> {
    let mut shuffled = subject.traits.order.to_vec();
    shuffled.rotate_left(5);
    for key in shuffled {
        subject.put(key, "x").await?;
    }
    assert_eq!(subject.keys().await?, subject.traits.order);
    // The same in pages of two: nothing lost, nothing twice.
    let list = subject.client.list_objects_v2().bucket(&subject.bucket);
    let mut pages = list.into_paginator().page_size(2).send();
    let mut seen = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page?;
        assert!(page.contents().len() <= 2);
        assert_eq!(page.key_count(), i32::try_from(page.contents().len()).ok());
        seen.extend(page.contents().iter().filter_map(|object| object.key().map(str::to_owned)));
    }
    assert_eq!(seen, subject.traits.order);
    Ok(())
}

pub(crate) async fn a_page_is_capped(subject: &Subject) -> anyhow::Result<()> {
    for hundred in 0..12 {
        let names: Vec<String> = (0..100).map(|number| format!("image/{:04}", hundred * 100 + number)).collect();
        try_join_all(names.iter().map(|key| subject.put(key, "x"))).await?;
    }
    let list = subject.client.list_objects_v2().bucket(&subject.bucket);
    let page = list.clone().max_keys(5000).send().await?;
    assert_eq!(page.contents().len(), subject.traits.page);
    assert_eq!(page.is_truncated(), Some(subject.traits.page < 1200));
    let page = list.clone().send().await?;
    assert_eq!((page.contents().len(), page.is_truncated()), (1000, Some(true)));
    let token = page.next_continuation_token().context("no token")?;
    let rest = list.clone().continuation_token(token).send().await?;
    assert_eq!((rest.contents().len(), rest.is_truncated()), (200, Some(false)));
    assert_eq!(rest.contents().first().and_then(|object| object.key()), Some("image/1000"));
    assert_eq!(rest.next_continuation_token(), None);
    Ok(())
}

pub(crate) async fn prefix_and_start_after_narrow(subject: &Subject) -> anyhow::Result<()> {
    for key in ["avatar/1", "image/1", "image/2", "image/3", "image0", "imagine"] {
        subject.put(key, "x").await?;
    }
    let list = subject.client.list_objects_v2().bucket(&subject.bucket);
    let keys = async |prefix: &str, after: &str| -> anyhow::Result<Vec<String>> {
        let page = list.clone().prefix(prefix).start_after(after).send().await?;
        Ok(page.contents().iter().filter_map(|object| object.key().map(str::to_owned)).collect())
    };
    assert_eq!(keys("image/", "image/1").await?, ["image/2", "image/3"]);
    // What start-after names need not exist.
    assert_eq!(keys("image/", "image/15").await?, ["image/2", "image/3"]);
    assert_eq!(keys("image/", "image/3").await?, [""; 0]);
    assert_eq!(keys("imag", "image/3").await?, ["image0", "imagine"]);
    assert_eq!(keys("nothing", "a").await?, [""; 0]);
    Ok(())
}

pub(crate) async fn a_delimiter_groups(subject: &Subject) -> anyhow::Result<()> {
    for key in ["image/a/1", "image/a/2", "image/b/1", "image/c", "other/1"] {
        subject.put(key, "x").await?;
    }
    let list = subject.client.list_objects_v2().bucket(&subject.bucket).delimiter("/").prefix("image/");
    let page = list.clone().send().await?;
    let groups = |page: &aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output| -> Vec<String> {
        page.common_prefixes().iter().filter_map(|group| group.prefix().map(str::to_owned)).collect()
    };
    assert_eq!(groups(&page), ["image/a/", "image/b/"]);
    assert_eq!(page.contents().iter().filter_map(|object| object.key()).collect::<Vec<_>>(), ["image/c"]);
    // A group is one entry of a page, and does not come again on the next.
    let mut pages = list.into_paginator().page_size(1).send();
    let (mut all, mut keys) = (Vec::new(), 0);
    while let Some(page) = pages.next().await {
        let page = page?;
        all.extend(groups(&page));
        keys += page.contents().len();
    }
    assert_eq!((all, keys), (vec!["image/a/".to_owned(), "image/b/".to_owned()], 1));
    Ok(())
}

pub(crate) async fn names_are_encoded_when_asked(subject: &Subject) -> anyhow::Result<()> {
    subject.put("image/a b+é.png", "x").await?;
    let list = subject.client.list_objects_v2().bucket(&subject.bucket).prefix("image/a b");
    let page = list.encoding_type(EncodingType::Url).send().await?;
    let key = page.contents().first().and_then(|object| object.key()).context("no key")?;
    // AWS writes a space as `+`, others as %20: whoever decodes must take both.
    assert_eq!(key.replace('+', "%20"), "image/a%20b%2B%C3%A9.png");
    Ok(())
}

pub(crate) async fn size_etag_and_date_are_told(subject: &Subject) -> anyhow::Result<()> {
    let e_tag = subject.put("image/a", "four").await?;
    let page = subject.client.list_objects_v2().bucket(&subject.bucket).send().await?;
    let object = page.contents().first().context("nothing listed")?;
    assert_eq!((object.size(), object.e_tag()), (Some(4), Some(e_tag.as_str())));
    let date = SystemTime::try_from(*object.last_modified().context("no date")?)?;
    let age = SystemTime::now().duration_since(date).unwrap_or_default();
    assert!(age < Duration::from_secs(60), "{age:?}");
    Ok(())
}
