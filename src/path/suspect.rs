//! Values that seem to name a legacy object in a form which no mapping covers, and texts that mention one.
//!
//! Such values are never rewritten. They are looked for because a forgotten spelling (`IMAGE/avatar-1.png`, a full URL in
//! a settings column) becomes a broken image on the day on which the sources are deleted.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use super::mapping::is_scheme;
use super::{Class, Mapping, Mappings, NamePattern};

/// Knows the in-scope legacy keys in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SuspectFinder {
    prefixes: Vec<String>,
    pattern: NamePattern,
    bucket: String,
}

impl SuspectFinder {
    pub(super) fn new(mappings: &[Mapping], pattern: &NamePattern, source_bucket: &str) -> Self {
        // With neither a prefix nor a pattern to go by, every text of the schema would be suspect.
        let of_keys = mappings.iter().map(|mapping| folder(&mapping.keys().legacy));
        let of_keys = of_keys.filter(|prefix| !(prefix.is_empty() && pattern.takes_all()));
        // Paths may begin otherwise than the keys that they mean, and are misspelt as they stand in rows.
        let of_paths = mappings.iter().map(|mapping| folder(mapping.legacy.as_str()));
        let mut prefixes: Vec<String> = of_keys.chain(of_paths.filter(|prefix| !prefix.is_empty())).collect();
        prefixes.sort_unstable();
        prefixes.dedup();
        let bucket = format!("{}/", source_bucket.to_lowercase());
        Self { prefixes, pattern: pattern.to_lowercase(), bucket }
    }

    /// Whether `text`, normalised, names a legacy key that fits the pattern.
    pub(super) fn names_a_legacy_key(&self, text: &str) -> bool {
        spellings(text).iter().any(|spelling| {
            let inside_bucket = spelling.strip_prefix(&self.bucket);
            [Some(spelling.as_str()), inside_bucket].into_iter().flatten().any(|key| self.fits(key))
        })
    }

    fn fits(&self, key: &str) -> bool {
        let segment = key.rsplit('/').next().unwrap_or_default();
        self.prefixes.iter().any(|prefix| key.starts_with(prefix.as_str())) && self.pattern.matches(segment)
    }
}

/// What the value could mean to a lenient reader: with and without query, percent-decoded none to two times.
fn spellings(text: &str) -> Vec<String> {
    let mut decoded = vec![Cow::Borrowed(text)];
    for _ in 0..2 {
        let last = decoded.last().map_or(text, |last| last.as_ref());
        if !last.contains('%') {
            break;
        }
        let once = percent_decode_str(last).decode_utf8_lossy().into_owned();
        decoded.push(Cow::Owned(once));
    }
    let bare = |text: &str| normalised(text.split(['?', '#']).next().unwrap_or_default());
    decoded.iter().flat_map(|text| [normalised(text), bare(text)]).collect()
}

/// Trimmed, without scheme and host, with single forward slashes and no dot segments, in lower case.
fn normalised(text: &str) -> String {
    let trimmed = text.trim_matches(|c: char| c.is_whitespace() || c.is_control() || "\"'\u{feff}\u{200b}".contains(c));
    let slashes = trimmed.replace('\\', "/");
    let path = match slashes.split_once("//") {
        // A longer text before the slashes is no scheme: it only mentions what follows.
        Some((scheme, rest)) if is_scheme(scheme) => rest.split_once('/').map_or("", |(_, path)| path),
        Some(_) | None => &slashes,
    };
    let mut segments: Vec<&str> = Vec::new();
    for segment in path.split('/').map(str::trim) {
        match segment {
            "" | "." => {}
            ".." => drop(segments.pop()),
            name => segments.push(name),
        }
    }
    segments.join("/").to_lowercase()
}

/// A prefix as the normalised texts below it begin.
fn folder(prefix: &str) -> String {
    let path = normalised(prefix);
    if path.is_empty() { path } else { format!("{path}/") }
}

/// Whether a legacy path stands inside `text`, cut out at the characters that end a path in prose, markup and JSON.
pub(super) fn mentions(text: &str, mappings: &Mappings) -> bool {
    // JSON writers such as PHP's escape slashes.
    let text = if text.contains("\\/") { Cow::Owned(text.replace("\\/", "/")) } else { Cow::Borrowed(text) };
    mappings.all().iter().any(|mapping| {
        let prefix = mapping.legacy.as_str();
        text.match_indices(prefix).any(|(start, _)| {
            let joined_on = text.get(..start).and_then(|t| t.chars().next_back()).is_some_and(char::is_alphanumeric);
            let rest = text.get(start..).unwrap_or_default();
            let end = rest.find(|c: char| c.is_whitespace() || "\"'<>()[]{},;|`\\".contains(c)).unwrap_or(rest.len());
            let path = rest.get(..end).unwrap_or_default();
            !joined_on && matches!(mappings.classify(path.as_bytes()), Class::Legacy(_))
        })
    })
}

/// Texts of which every suspect value or mention holds at least one, whatever its case, unless it is percent-encoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SuspectCores {
    /// Search terms; empty if no value can be suspect.
    pub terms: Vec<String>,
}

impl SuspectCores {
    pub(super) fn of(mappings: &Mappings) -> Self {
        let mut terms: Vec<String> = Vec::new();
        for mapping in mappings.all() {
            let keys = mapping.keys().legacy;
            let of_prefixes = [longest_segment(&keys), longest_segment(without_host(mapping.legacy.as_str()))];
            let mut found: Vec<String> = of_prefixes.into_iter().filter(|term| !term.is_empty()).collect();
            if keys.is_empty() {
                found.push(mappings.pattern().longest_literal());
            }
            if found.iter().all(String::is_empty) {
                found.push(longest_segment(mapping.legacy.as_str()));
            }
            terms.extend(found.into_iter().filter(|term| !term.is_empty()));
        }
        terms.sort_unstable();
        terms.dedup();
        Self { terms }
    }
}

fn longest_segment(prefix: &str) -> String {
    let segments = prefix.split(['/', '\\']).map(str::trim);
    segments.max_by_key(|segment| segment.len()).unwrap_or_default().to_owned()
}

/// A longer text before the slashes is no scheme: it only mentions what follows.
fn without_host(text: &str) -> &str {
    match text.split_once("//") {
        Some((scheme, rest)) if is_scheme(scheme) => rest.split_once('/').map_or("", |(_, path)| path),
        Some(_) | None => text,
    }
}
