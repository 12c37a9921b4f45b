//! What a bucket holds of a window of keys: by listing the key range or by HEAD, whichever takes fewer requests.

use std::collections::{HashMap, HashSet};

use futures::{StreamExt, TryStreamExt};

use crate::database::LedgerObject;
use crate::path::ObjectKey;
use crate::store::{ObjectInfo, ReadObjects, StoreError};

/// HEADs that run at once; in a dense bucket most keys are seen in listings.
const HEADS: usize = 128;

/// What was listed. A key that is absent here was not seen; whether it does not exist only a HEAD can tell.
pub(crate) type Seen = HashMap<ObjectKey, ObjectInfo>;

/// Lists the range of `keys` (ascending) for as long as each page yields at least one of them on the average: a sparse
/// window in a large bucket is left to HEADs.
pub(crate) async fn look(bucket: &impl ReadObjects, keys: &[&ObjectKey]) -> Result<Seen, StoreError> {
    let mut seen = Seen::new();
    let (Some(first), Some(last)) = (keys.first(), keys.last()) else { return Ok(seen) };
    let wanted: HashSet<&ObjectKey> = keys.iter().copied().collect();
    let prefix = common_prefix(first.as_str(), last.as_str());
    let after = just_before(first);
    let mut token = None;
    let mut pages = 0;
    loop {
        let page = bucket.list(prefix, after.as_ref().filter(|_| token.is_none()), token).await?;
        pages += 1;
        let past_the_end = page.objects.last().is_none_or(|object| object.key >= **last);
        seen.extend(page.objects.into_iter().filter(|o| wanted.contains(&o.key)).map(|o| (o.key.clone(), o)));
        token = page.next;
        if token.is_none() || past_the_end || seen.len() == wanted.len() || is_too_sparse(pages, seen.len()) {
            return Ok(seen);
        }
    }
}

/// The same, and a HEAD for each key that no listing showed: what is absent here does not exist.
pub(crate) async fn look_closely(bucket: &impl ReadObjects, keys: &[&ObjectKey]) -> Result<Seen, StoreError> {
    let mut seen = look(bucket, keys).await?;
    let unseen: Vec<&ObjectKey> = keys.iter().copied().filter(|key| !seen.contains_key(*key)).collect();
    let heads = futures::stream::iter(unseen).map(|key| bucket.head(key));
    let found: Vec<_> = heads.buffer_unordered(HEADS).try_collect().await?;
    seen.extend(found.into_iter().flatten().map(|details| (details.info.key.clone(), details.info)));
    Ok(seen)
}

/// Those of the checked `objects` (ascending) whose source is not the one that was checked any more. A source that is gone
/// is none of them: its checked copy is what is left of it. One that has come back since is.
///
/// # Errors
/// If the bucket cannot be read.
pub async fn sources_that_changed(
    source: &impl ReadObjects,
    objects: &[LedgerObject],
) -> Result<Vec<LedgerObject>, StoreError> {
    let seen = look_closely(source, &objects.iter().map(|object| &object.source).collect::<Vec<_>>()).await?;
    let changed = |object: &&LedgerObject| {
        seen.get(&object.source).is_some_and(|info| object.source_etag.as_ref() != Some(&info.etag))
    };
    Ok(objects.iter().filter(changed).cloned().collect())
}

/// Those of the checked `objects` whose copy is gone: the application may delete a picture by the modern path of one row
/// while another row still names the legacy object.
///
/// # Errors
/// If the bucket cannot be read.
pub async fn targets_that_went(
    target: &impl ReadObjects,
    objects: &[LedgerObject],
) -> Result<Vec<LedgerObject>, StoreError> {
    let mut keys: Vec<&ObjectKey> = objects.iter().map(|object| &object.target).collect();
    keys.sort_unstable();
    let seen = look_closely(target, &keys).await?;
    Ok(objects.iter().filter(|object| !seen.contains_key(&object.target)).cloned().collect())
}

/// Whether so many pages have shown too few of the wanted keys to go on.
pub(crate) fn is_too_sparse(pages: usize, seen: usize) -> bool {
    pages > seen
}

/// What both begin with.
pub(crate) fn common_prefix<'k>(first: &'k str, last: &str) -> &'k str {
    let same = first.char_indices().zip(last.chars()).find(|((_, a), b)| a != b);
    same.map_or(first, |((at, _), _)| first.get(..at).unwrap_or_default())
}

/// A key that sorts before `key` and after nearly all that do: its last character is the one before, and a `~` follows.
/// From just the key without its last character, a listing for `avatar-2` would begin with all of `avatar-1…`.
fn just_before(key: &ObjectKey) -> Option<ObjectKey> {
    let mut chars = key.as_str().chars();
    let last = chars.next_back()?;
    let stem = chars.as_str();
    let before = match last {
        // Some servers take what ends at a slash for a directory.
        '0' => Some('.'),
        _ => u32::from(last).checked_sub(1).and_then(char::from_u32).filter(|before| !before.is_control()),
    };
    let near = before.and_then(|before| ObjectKey::new(format!("{stem}{before}~")).ok());
    near.or_else(|| ObjectKey::new(stem).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_listed_by_what_its_ends_have_in_common() {
        assert_eq!(common_prefix("image/avatar-10", "image/avatar-29"), "image/avatar-");
        assert_eq!(common_prefix("image/ä", "image/ö"), "image/");
        assert_eq!(common_prefix("image/a", "image/a"), "image/a");
        let key = |text: &str| ObjectKey::new(text).expect("a key");
        for (text, before) in [
            ("image/avatar-2", "image/avatar-1~"),
            ("image/avatar-10", "image/avatar-1.~"),
            ("image/ä", "image/ã~"),
            ("image/\u{80}", "image/"),
            ("image/\u{e000}", "image/"),
        ] {
            assert_eq!(just_before(&key(text)), Some(key(before)));
            assert!(key(before) < key(text));
        }
        assert_eq!(just_before(&key("\u{1}")), None);
        let longest = "ä".repeat(512);
        assert_eq!(just_before(&key(&longest)), Some(key(&"ä".repeat(511))));
    }
}
