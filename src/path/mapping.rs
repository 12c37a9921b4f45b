//! A mapping: a legacy prefix and the modern prefix that takes its place, on paths and on keys.

use std::fmt;

use percent_encoding::percent_decode_str;

/// How the text of a prefix, and of every path that begins with it, is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PrefixForm {
    /// `image/`: the path is the key.
    Key,
    /// `/image/`: the key with a slash before it.
    Rooted,
    /// `https://host/image/` or `//host/image/`: the key is the percent-decoded path without query and fragment (RFC 3986).
    Url,
    /// `s3://bucket/image/`: the key is what follows the bucket, verbatim.
    S3,
}

impl PrefixForm {
    fn decodes(self) -> bool {
        match self {
            Self::Url => true,
            Self::Key | Self::Rooted | Self::S3 => false,
        }
    }
}

/// A prefix of stored paths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prefix {
    text: String,
    form: PrefixForm,
    bucket: Option<String>,
    keys: String,
}

/// Why a text is no prefix.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PrefixError {
    /// An empty prefix would take every value of every column.
    #[error("a path prefix cannot be empty")]
    Empty,
    /// `image` would also take `images-of-others/`.
    #[error("the prefix `{0}` does not end with `/`, so it would also take its longer neighbours; write `{0}/`")]
    NoSlash(String),
    /// A query cannot be a part of a prefix.
    #[error("the URL prefix `{0}` holds a query or a fragment")]
    Query(String),
    /// Decodes to something that is no text.
    #[error("the URL prefix `{0}` does not decode to valid UTF-8")]
    NotUtf8(String),
    /// `https://host` without a path, `s3://` without a bucket.
    #[error("the prefix `{0}` names no host or bucket before its path")]
    NoAuthority(String),
    /// Longer than any key.
    #[error("the prefix `{0}` is longer than an object key can be (1,024 bytes)")]
    TooLong(String),
}

impl Prefix {
    /// Reads a prefix; its form follows from how it begins.
    ///
    /// # Errors
    /// [`PrefixError`] with the text and what is wrong with it.
    pub fn new(text: &str) -> Result<Self, PrefixError> {
        if text.is_empty() {
            return Err(PrefixError::Empty);
        }
        if !text.ends_with('/') {
            return Err(PrefixError::NoSlash(text.to_owned()));
        }
        if text.len() > super::KEY_BYTES_MAX {
            return Err(PrefixError::TooLong(text.to_owned()));
        }
        let no_authority = || PrefixError::NoAuthority(text.to_owned());
        let (form, bucket, keys) = if let Some(rest) = text.strip_prefix("s3://") {
            let (bucket, keys) = rest.split_once('/').filter(|(b, _)| !b.is_empty()).ok_or_else(no_authority)?;
            (PrefixForm::S3, Some(bucket.to_owned()), keys.to_owned())
        } else if let Some((_, rest)) = text.split_once("//").filter(|(scheme, _)| is_scheme(scheme)) {
            if text.contains(['?', '#']) {
                return Err(PrefixError::Query(text.to_owned()));
            }
            let (_, path) = rest.split_once('/').filter(|(host, _)| !host.is_empty()).ok_or_else(no_authority)?;
            let keys = percent_decode_str(path).decode_utf8().map_err(|_| PrefixError::NotUtf8(text.to_owned()))?;
            (PrefixForm::Url, None, keys.into_owned())
        } else if let Some(keys) = text.strip_prefix('/') {
            (PrefixForm::Rooted, None, keys.to_owned())
        } else {
            (PrefixForm::Key, None, text.to_owned())
        };
        Ok(Self { text: text.to_owned(), form, bucket, keys })
    }

    /// The prefix as it stands in rows.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// How it is read.
    #[must_use]
    pub fn form(&self) -> PrefixForm {
        self.form
    }

    /// The bucket that an `s3://` prefix names.
    #[must_use]
    pub fn bucket(&self) -> Option<&str> {
        self.bucket.as_deref()
    }
}

/// `https:` and the empty scheme of `//host/`, but not `image` of `image//odd/`.
pub(super) fn is_scheme(text: &str) -> bool {
    text.is_empty()
        || text.strip_suffix(':').is_some_and(|s| s.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c)))
}

/// A pair of key prefixes: what an object's key begins with in the legacy and in the production bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyMapping {
    /// In the legacy bucket.
    pub legacy: String,
    /// In the production bucket.
    pub modern: String,
}

/// A legacy prefix, the modern prefix that takes its place, and the key prefixes that they mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// What legacy paths begin with.
    pub legacy: Prefix,
    /// What takes its place.
    pub modern: Prefix,
}

/// Why mappings do not fit together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MappingError {
    /// Nothing to do.
    #[error("there is no mapping: give a legacy and a modern prefix")]
    None,
    /// The rest of a path is kept verbatim, so both sides must read it alike.
    #[error(
        "`{legacy}` and `{modern}` read the rest of a path differently (only one of them is a URL, which is percent-decoded); use two URLs or two plain prefixes"
    )]
    Forms {
        /// The legacy prefix.
        legacy: String,
        /// The modern prefix.
        modern: String,
    },
    /// A path would have two meanings.
    #[error("the path prefixes `{0}` and `{1}` overlap, so a path could mean two things")]
    PathOverlap(String, String),
    /// A key would have two meanings.
    #[error("the key prefixes `{0}` and `{1}` overlap, so an object could have two twins")]
    KeyOverlap(String, String),
    /// A key prefix must end like a folder.
    #[error("the key prefix `{0}` does not end with `/`; write `{0}/`, or leave it empty for the whole bucket")]
    KeyPrefix(String),
}

impl Mapping {
    /// Pairs two prefixes; key prefixes other than the paths' own may be given.
    ///
    /// # Errors
    /// [`MappingError`] if the two are read differently or a key prefix does not end with `/`.
    pub fn new(
        legacy: Prefix,
        modern: Prefix,
        legacy_keys: Option<&str>,
        modern_keys: Option<&str>,
    ) -> Result<Self, MappingError> {
        if legacy.form.decodes() != modern.form.decodes() {
            return Err(MappingError::Forms { legacy: legacy.text, modern: modern.text });
        }
        let with_keys = |prefix: Prefix, keys: Option<&str>| match keys {
            Some(keys) if !keys.is_empty() && !keys.ends_with('/') => Err(MappingError::KeyPrefix(keys.to_owned())),
            Some(keys) => Ok(Prefix { keys: keys.to_owned(), ..prefix }),
            None => Ok(prefix),
        };
        Ok(Self { legacy: with_keys(legacy, legacy_keys)?, modern: with_keys(modern, modern_keys)? })
    }

    /// The key prefixes of the two sides.
    #[must_use]
    pub fn keys(&self) -> KeyMapping {
        KeyMapping { legacy: self.legacy.keys.clone(), modern: self.modern.keys.clone() }
    }

    /// Whether paths are percent-decoded on their way to a key.
    #[must_use]
    pub fn decodes(&self) -> bool {
        self.legacy.form.decodes()
    }

    /// Source and target key of a path with this rest after its prefix, as both sides read it alike; `None` if it decodes
    /// to no text.
    pub(super) fn keys_of(&self, rest: &str) -> Option<(String, String)> {
        let rest = self.key_rest(rest)?;
        Some((format!("{}{rest}", self.legacy.keys), format!("{}{rest}", self.modern.keys)))
    }

    fn key_rest(&self, rest: &str) -> Option<String> {
        if !self.decodes() {
            return Some(rest.to_owned());
        }
        let path = rest.split(['?', '#']).next().unwrap_or_default();
        percent_decode_str(path).decode_utf8().ok().map(std::borrow::Cow::into_owned)
    }
}

impl fmt::Display for Mapping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} -> {}", self.legacy.text, self.modern.text)
    }
}

/// Refuses prefixes of which one begins with another, on paths and on keys of one side.
pub(super) fn refuse_overlaps(mappings: &[Mapping]) -> Result<(), MappingError> {
    if mappings.is_empty() {
        return Err(MappingError::None);
    }
    let paths: Vec<&str> = mappings.iter().flat_map(|m| [m.legacy.as_str(), m.modern.as_str()]).collect();
    if let Some((a, b)) = overlapping(&paths, |a, b| a.starts_with(b) || b.starts_with(a)) {
        return Err(MappingError::PathOverlap(a, b));
    }
    let keys: Vec<KeyMapping> = mappings.iter().map(Mapping::keys).collect();
    for (index, one) in keys.iter().enumerate() {
        for other in keys.iter().skip(index + 1).filter(|other| *other != one) {
            for (a, b) in [(&one.legacy, &other.legacy), (&one.modern, &other.modern)] {
                if a.starts_with(b.as_str()) || b.starts_with(a.as_str()) {
                    return Err(MappingError::KeyOverlap(a.clone(), b.clone()));
                }
            }
        }
    }
    Ok(())
}

fn overlapping(texts: &[&str], overlap: impl Fn(&str, &str) -> bool) -> Option<(String, String)> {
    let pairs = texts.iter().enumerate().flat_map(|(i, a)| texts.iter().skip(i + 1).map(move |b| (*a, *b)));
    pairs.into_iter().find(|(a, b)| overlap(a, b)).map(|(a, b)| (a.to_owned(), b.to_owned()))
}
