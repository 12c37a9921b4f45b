//! Keys as people make them.

use std::collections::BTreeSet;

use aws_sdk_s3::types::{Delete, ObjectIdentifier};

use crate::subject::Subject;

/// Each is written by somebody somewhere.
pub(crate) const KEYS: [&str; 24] = [
    "image/avatar 1.png",
    "image/avatar+2.png",
    "image/avatar%3.png",
    "image/avatar%41.png",
    "image/avatar%2F5.png",
    "image/avatar#6.png",
    "image/avatar?7.png",
    "image/avatar&amp;8.png",
    "image/avatar<9>.png",
    "image/avatar\"10\".png",
    "image/avatar'11'.png",
    "image/avatar\\12.png",
    "image/avatar-😀-13.png",
    "image/avatar-e\u{301}-14.png",
    "image/avatar-é-15.png",
    "image//avatar-16.png",
    "image/avatar-17 ",
    " image/avatar-18",
    "image/avatar=19;a,b:c@d.png",
    "image/avatar*20|[]{}^~`$().png",
    "image/avatar-21",
    "image/avatar-21/below",
    "image/日本語-22.png",
    "IMAGE/avatar-23.png",
];

pub(crate) async fn hostile_keys_survive_put_copy_list_delete(subject: &Subject) -> anyhow::Result<()> {
    let stored = |key: &str| stored_as(subject, key);
    for key in KEYS {
        subject.put(key, key).await?;
    }
    for key in KEYS {
        assert_eq!(subject.get(key).await?, key.as_bytes(), "{key:?}");
        let copy = subject.client.copy_object().copy_source(subject.source(key));
        copy.bucket(&subject.bucket).key(format!("copy/{key}")).send().await?;
    }
    let expected: BTreeSet<String> =
        KEYS.iter().flat_map(|key| [stored(key), stored(&format!("copy/{key}"))]).collect();
    let listed = subject.keys().await?;
    assert_eq!(listed.iter().cloned().collect::<BTreeSet<_>>(), expected);
    assert_eq!(listed.len(), expected.len(), "none twice");

    let named = |key: &&str| ObjectIdentifier::builder().key(format!("copy/{key}")).build();
    let delete = Delete::builder().set_objects(Some(KEYS.iter().map(named).collect::<Result<_, _>>()?)).build()?;
    let verdicts = subject.client.delete_objects().bucket(&subject.bucket).delete(delete).send().await?;
    assert_eq!((verdicts.deleted().len(), verdicts.errors().len()), (KEYS.len(), 0));
    let left: &[&str] = if subject.traits.batch_deletes_backslashes { &[] } else { &["copy/image/avatar/12.png"] };
    let copies: Vec<String> = subject.keys().await?.into_iter().filter(|key| key.starts_with("copy/")).collect();
    assert_eq!(copies, left);
    for key in KEYS.iter().chain(left) {
        subject.client.delete_object().bucket(&subject.bucket).key(*key).send().await?;
    }
    assert_eq!(subject.keys().await?, [""; 0]);
    Ok(())
}

fn stored_as(subject: &Subject, key: &str) -> String {
    let mut key = key.to_owned();
    if subject.traits.backslash_is_slash {
        key = key.replace('\\', "/");
    }
    if subject.traits.merges_slashes {
        key = key.replace("//", "/");
    }
    key
}
