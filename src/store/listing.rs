//! Reading the answer of ListObjectsV2 without trusting it.

use aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output;
use aws_sdk_s3::primitives::DateTime;
use aws_sdk_s3::types::{EncodingType, Object};
use percent_encoding::percent_decode_str;

use super::failure::Failure;
use super::{ListPage, ObjectInfo, PageToken};
use crate::path::{ETag, ObjectKey};

/// The page in this answer to a request that carried `sent` as its continuation token.
pub(super) fn page(output: &ListObjectsV2Output, sent: Option<&str>) -> Result<ListPage, Failure> {
    // A server that does not know the encoding says so by not naming it, and gives the keys as they are.
    let encoded = output.encoding_type() == Some(&EncodingType::Url);
    let objects = output.contents().iter().map(|object| info(object, encoded)).collect::<Result<_, _>>()?;
    Ok(ListPage { objects, next: next(output, sent)? })
}

/// The time of a write, in whole seconds: a HEAD tells no more, and one object must have one time however it was seen.
pub(super) fn milliseconds(time: &DateTime) -> i64 {
    time.secs().saturating_mul(1000)
}

fn next(output: &ListObjectsV2Output, sent: Option<&str>) -> Result<Option<PageToken>, Failure> {
    if !output.is_truncated().unwrap_or(false) {
        return Ok(None);
    }
    match output.next_continuation_token() {
        None | Some("") => Err(Failure::unusable_answer("the listing is truncated, but gives no token to go on")),
        Some(token) if Some(token) == sent => Err(Failure::unusable_answer("the listing gives the same token again")),
        Some(token) => Ok(Some(PageToken(token.to_owned()))),
    }
}

fn info(object: &Object, encoded: bool) -> Result<ObjectInfo, Failure> {
    let key = object.key().unwrap_or_default();
    let key = if encoded { decode(key)? } else { key.to_owned() };
    let size = object.size().and_then(|size| u64::try_from(size).ok());
    Ok(ObjectInfo {
        key: ObjectKey::new(key)
            .map_err(|error| Failure::unusable_answer(format!("the listing names a key: {error}")))?,
        size: size.ok_or_else(|| Failure::unusable_answer("the listing gives no size for an object"))?,
        etag: ETag::new(object.e_tag().unwrap_or_default()),
        modified_ms: object.last_modified().map_or(0, milliseconds),
    })
}

/// S3 encodes as HTML forms do, in listings and in inventories: a space is `+`, a plus is `%2B` (botocore decodes with `unquote_plus`).
pub(super) fn decode(key: &str) -> Result<String, Failure> {
    let spaced = key.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8();
    decoded.map(Into::into).map_err(|_| Failure::unusable_answer("the listing names a key that is not UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_decoded_as_forms_are() {
        for (encoded, key) in [
            ("image/avatar-1.png", "image/avatar-1.png"),
            ("a+b", "a b"),
            ("a%20b", "a b"),
            ("a%2Bb", "a+b"),
            ("%252B", "%2B"),
            ("100%", "100%"),
            ("%C3%A4%0A%01", "ä\n\u{1}"),
        ] {
            assert_eq!(decode(encoded).ok().as_deref(), Some(key), "{encoded}");
        }
        assert!(decode("%FF").is_err());
    }

    #[test]
    fn a_truncated_page_needs_a_new_token() {
        let answer = |token: Option<&str>| {
            ListObjectsV2Output::builder()
                .is_truncated(true)
                .set_next_continuation_token(token.map(str::to_owned))
                .build()
        };
        assert!(page(&answer(None), None).is_err());
        assert!(page(&answer(Some("t")), Some("t")).is_err());
        let next = page(&answer(Some("t")), Some("s")).ok().and_then(|page| page.next);
        assert_eq!(next.map(|token| token.0).as_deref(), Some("t"));
    }

    #[test]
    fn an_end_is_an_end_whatever_token_comes_with_it() {
        let answer = ListObjectsV2Output::builder().is_truncated(false).next_continuation_token("t").build();
        assert!(page(&answer, None).is_ok_and(|page| page.next.is_none()));
    }
}
