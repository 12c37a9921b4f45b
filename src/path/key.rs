//! Object keys and ETags: the names S3 gives to things.

use std::fmt;

/// The longest object key in bytes of UTF-8 (AWS: "Naming Amazon S3 objects").
pub const KEY_BYTES_MAX: usize = 1024;

/// The key of an object: 1 to [`KEY_BYTES_MAX`] bytes of UTF-8, kept byte for byte, ordered as S3 lists.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectKey(String);

/// Why a text is no object key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// S3 has no object without a name.
    #[error("an object key cannot be empty")]
    Empty,
    /// More than [`KEY_BYTES_MAX`] bytes.
    #[error("an object key has at most {KEY_BYTES_MAX} bytes")]
    TooLong,
}

impl ObjectKey {
    /// Takes `text` verbatim.
    ///
    /// # Errors
    /// [`KeyError`] if the text is empty or longer than [`KEY_BYTES_MAX`] bytes.
    pub fn new(text: impl Into<String>) -> Result<Self, KeyError> {
        let text = text.into();
        match text.len() {
            0 => Err(KeyError::Empty),
            1..=KEY_BYTES_MAX => Ok(Self(text)),
            _ => Err(KeyError::TooLong),
        }
    }

    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What follows the last `/`: the part that the name pattern looks at.
    #[must_use]
    pub fn last_segment(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The ETag of an object, without its surrounding quotes (RFC 9110, section 8.8.3).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ETag(String);

impl ETag {
    /// Takes an ETag with or without quotes, as servers give both.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.trim().trim_matches('"').to_owned())
    }

    /// The ETag without quotes.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The ETag in quotes, as the conditional headers of S3 want it.
    #[must_use]
    pub fn quoted(&self) -> String {
        format!("\"{}\"", self.0)
    }

    /// Whether this can be the MD5 of the bytes: 32 hexadecimal digits and no part count. Two equal ones prove equal
    /// content; two unequal ones prove nothing (AWS: "Object", field ETag; under SSE-KMS it is no MD5).
    #[must_use]
    pub fn is_single_part(&self) -> bool {
        self.0.len() == 32 && self.0.bytes().all(|byte| byte.is_ascii_hexdigit())
    }
}

impl fmt::Display for ETag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_one_to_1024_bytes() {
        assert_eq!(ObjectKey::new(""), Err(KeyError::Empty));
        assert!(ObjectKey::new("ä".repeat(512)).is_ok());
        assert_eq!(ObjectKey::new("ä".repeat(513)), Err(KeyError::TooLong));
    }

    #[test]
    fn the_last_segment_is_what_follows_the_last_slash() {
        for (key, segment) in [("a/b/c.png", "c.png"), ("c.png", "c.png"), ("a/", "")] {
            assert_eq!(ObjectKey::new(key).map(|key| key.last_segment().to_owned()), Ok(segment.to_owned()));
        }
    }

    #[test]
    fn only_plain_md5_etags_can_prove_content() {
        assert!(ETag::new("\"d41d8cd98f00b204e9800998ecf8427e\"").is_single_part());
        assert!(!ETag::new("d41d8cd98f00b204e9800998ecf8427e-2").is_single_part());
        assert!(!ETag::new("").is_single_part());
    }
}
