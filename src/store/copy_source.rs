//! `x-amz-copy-source`, which the SDK sends as it is given (awslabs/aws-sdk-rust issue 1357).

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::path::ObjectKey;

/// All but the unreserved characters of RFC 3986, section 2.3. `+` is among the encoded: servers read it as a space.
pub(super) const EVERY_RESERVED_BYTE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

const EVERY_RESERVED_BYTE_BUT_SLASH: &AsciiSet = &EVERY_RESERVED_BYTE.remove(b'/');

/// `bucket/key`, percent-encoded once.
pub(super) fn copy_source(bucket: &str, key: &ObjectKey) -> String {
    format!("{bucket}/{}", utf8_percent_encode(key.as_str(), EVERY_RESERVED_BYTE_BUT_SLASH))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_keys_are_encoded_once() -> anyhow::Result<()> {
        for (key, encoded) in [
            ("image/avatar-1.png", "image/avatar-1.png"),
            ("a b", "a%20b"),
            ("a+b", "a%2Bb"),
            ("a%2Bb", "a%252Bb"),
            ("100%", "100%25"),
            ("a?b#c", "a%3Fb%23c"),
            ("a?versionId=x", "a%3FversionId%3Dx"),
            ("a&b=c;d", "a%26b%3Dc%3Bd"),
            ("ä", "%C3%A4"),
            ("a\u{308}", "a%CC%88"),
            ("日本", "%E6%97%A5%E6%9C%AC"),
            ("🦀", "%F0%9F%A6%80"),
            ("a//b", "a//b"),
            ("/lead", "/lead"),
            ("trail/", "trail/"),
            ("./../x", "./../x"),
            ("back\\slash", "back%5Cslash"),
            ("quote\"'", "quote%22%27"),
            ("line\nfeed\ttab", "line%0Afeed%09tab"),
            ("~_-.!*()", "~_-.%21%2A%28%29"),
            ("<&>{}|^`[]@:$,", "%3C%26%3E%7B%7D%7C%5E%60%5B%5D%40%3A%24%2C"),
        ] {
            let key = ObjectKey::new(key)?;
            assert_eq!(copy_source("legacy-s3", &key), format!("legacy-s3/{encoded}"), "{key}");
        }
        Ok(())
    }
}
