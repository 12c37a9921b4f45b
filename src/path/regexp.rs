//! The regular expression of legacy paths, for the fence: the database's own PCRE tells what the classifier tells. And that of
//! what requests name, for the proxies that `redirect` writes for.
//!
//! It is matched against the bytes of the UTF-8 form of a value, so that neither collations nor character sets have a say.
//! Names are cut off by atomic groups, in which the first match of each part of a glob is the right one: nothing grows
//! faster than the square of a value's length, and no limit of PCRE is met.

use std::fmt::Write as _;

use super::{Mapping, Mappings};

/// Dots take line feeds, and whatever `default_regex_flags` says of a session is switched off.
const FLAGS: &str = "(?s-imx)";

impl Mappings {
    /// Matches exactly the legacy paths of all mappings, and of the suspect values those that have the form of one but are
    /// too long or no UTF-8.
    #[must_use]
    pub fn legacy_regexp(&self) -> String {
        let paths: Vec<String> = self.mappings.iter().map(|mapping| self.regexp_of(mapping)).collect();
        match paths.as_slice() {
            [one] => format!("{FLAGS}^{one}"),
            several => format!("{FLAGS}^(?:{})", several.join("|")),
        }
    }

    /// Matches what follows a prefix in the path of a request, up to its query, if the name there fits the pattern. Clients
    /// may percent-encode what they like.
    #[must_use]
    pub fn request_regexp(&self) -> String {
        format!("{}{}", Reading::Decoded.folders(), Reading::Decoded.name(&self.pattern.to_string()))
    }

    fn regexp_of(&self, mapping: &Mapping) -> String {
        let reading = if mapping.decodes() { Reading::Decoded } else { Reading::Verbatim };
        let keys = mapping.keys();
        // With an empty prefix on either side, the path that is the prefix alone names no key.
        let some = if keys.legacy.is_empty() || keys.modern.is_empty() { reading.some() } else { "" };
        let prefix: String = mapping.legacy.as_str().chars().map(verbatim).collect();
        format!("{prefix}{some}{}{}", reading.folders(), reading.name(&self.pattern.to_string()))
    }
}

/// How what follows a prefix is read.
#[derive(Clone, Copy)]
enum Reading {
    /// The rest is the key's.
    Verbatim,
    /// Percent-decoded up to a query or fragment.
    Decoded,
}

impl Reading {
    /// Something follows.
    fn some(self) -> &'static str {
        match self {
            Self::Verbatim => "(?=.)",
            Self::Decoded => "(?=[^?#])",
        }
    }

    /// Everything up to the last slash, if there is one.
    fn folders(self) -> &'static str {
        match self {
            Self::Verbatim => "(?>.*/|)",
            Self::Decoded => "(?>[^?#]*(?:/|%2[Ff])|)",
        }
    }

    /// The end of the name.
    fn end(self) -> &'static str {
        match self {
            Self::Verbatim => "(?!.)",
            Self::Decoded => "(?![^?#])",
        }
    }

    /// A byte of a name; percent-encoded ones are taken whole.
    fn unit(self) -> &'static str {
        match self {
            Self::Verbatim => "[^/]",
            Self::Decoded => "(?:[^/?#%]|%(?!2[Ff])[0-9A-Fa-f]{2}|%(?![0-9A-Fa-f]{2}))",
        }
    }

    /// A character of a name: one to four bytes of UTF-8.
    fn character(self) -> String {
        const LONG: &str = r"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}";
        match self {
            Self::Verbatim => format!(r"(?:[^/\x80-\xff]|{LONG})"),
            Self::Decoded => {
                let (hex, follow) = ("[0-9A-Fa-f]", "(?:%[89ABab][0-9A-Fa-f])");
                format!(
                    r"(?:[^/?#%\x80-\xff]|{LONG}|%(?!{hex}{{2}})|%(?!2[Ff])[0-7]{hex}|%[CDcd]{hex}{follow}|%[Ee]{hex}{follow}{{2}}|%[Ff]{hex}{follow}{{3}})"
                )
            }
        }
    }

    /// A character of the pattern.
    fn literal(self, character: char) -> String {
        match (self, character) {
            (Self::Verbatim, _) => verbatim(character),
            (Self::Decoded, '%') => "(?:%25|%(?![0-9A-Fa-f]{2}))".to_owned(),
            // As it is it would begin the fragment.
            (Self::Decoded, '#') => "%23".to_owned(),
            (Self::Decoded, _) => {
                let mut bytes = [0; 4];
                let encoded: String = character.encode_utf8(&mut bytes).bytes().map(percent_encoded).collect();
                format!("(?:{}|{encoded})", verbatim(character))
            }
        }
    }

    /// The glob over the whole name.
    fn name(self, glob: &str) -> String {
        let run = |run: &str| -> String {
            run.chars().map(|c| if c == '?' { self.character() } else { self.literal(c) }).collect()
        };
        let Some((first, rest)) = glob.split_once('*') else { return format!("{}{}", run(glob), self.end()) };
        let mut name = run(first);
        let (middle, last) = rest.rsplit_once('*').unwrap_or(("", rest));
        for part in middle.split('*').filter(|part| !part.is_empty()) {
            // Writing to a String cannot fail.
            write!(name, "(?>{}*?{})", self.unit(), run(part)).unwrap_or_default();
        }
        format!("{name}{}*{}{}", self.unit(), run(last), self.end())
    }
}

/// A character that stands for itself. Brackets rather than backslashes, which some SQL modes take away.
fn verbatim(character: char) -> String {
    match character {
        '\\' | '^' => format!("\\{character}"),
        '$' | '.' | '[' | '|' | '(' | ')' | '?' | '*' | '+' | '{' => format!("[{character}]"),
        other => other.to_string(),
    }
}

fn percent_encoded(byte: u8) -> String {
    let digit = |half: u8| match char::from_digit(u32::from(half), 16).unwrap_or_default() {
        letter @ 'a'..='f' => format!("[{}{letter}]", letter.to_ascii_uppercase()),
        number => number.to_string(),
    };
    format!("%{}{}", digit(byte >> 4), digit(byte & 15))
}

#[cfg(test)]
mod tests {
    use crate::path::{Mapping, Mappings, NamePattern, Prefix};

    fn regexp(pairs: &[(&str, &str)], pattern: &str) -> String {
        let mapping = |(legacy, modern): &(&str, &str)| {
            let prefix = |text: &str| Prefix::new(text).expect(text);
            Mapping::new(prefix(legacy), prefix(modern), None, None).expect("a mapping")
        };
        let pattern = NamePattern::new(pattern).expect(pattern);
        Mappings::new(pairs.iter().map(mapping).collect(), pattern, "legacy-s3").expect("mappings").legacy_regexp()
    }

    #[test]
    fn the_classic_case_can_be_read() {
        assert_eq!(regexp(&[("image/", "avatar/")], "avatar-*"), "(?s-imx)^image/(?>.*/|)avatar-[^/]*(?!.)");
    }

    #[test]
    fn globs_keep_their_meaning() {
        let of = |glob| regexp(&[("i/", "a/")], glob).replace("(?s-imx)^i/(?>.*/|)", "");
        assert_eq!(of("*"), "[^/]*(?!.)");
        assert_eq!(of("a.b"), "a[.]b(?!.)");
        assert_eq!(of("**a**b**"), "(?>[^/]*?a)(?>[^/]*?b)[^/]*(?!.)");
        assert_eq!(of("a*b+*c"), "a(?>[^/]*?b[+])[^/]*c(?!.)");
        assert!(of("a?").contains(r"a(?:[^/\x80-\xff]|"));
    }

    #[test]
    fn several_mappings_are_alternatives_and_nothing_of_a_prefix_is_special() {
        let found = regexp(&[("a.b/", "x/"), ("^c$/", "y/")], "*");
        assert_eq!(found, r"(?s-imx)^(?:a[.]b/(?>.*/|)[^/]*(?!.)|\^c[$]/(?>.*/|)[^/]*(?!.))");
    }

    #[test]
    fn an_empty_key_is_no_path_and_urls_are_decoded() {
        assert!(regexp(&[("/", "avatar/")], "*").starts_with("(?s-imx)^/(?=.)(?>"));
        let url = regexp(&[("https://h/i/", "https://h/a/")], "o*");
        let unit = "(?:[^/?#%]|%(?!2[Ff])[0-9A-Fa-f]{2}|%(?![0-9A-Fa-f]{2}))";
        let expected = format!("(?s-imx)^https://h/i/(?>[^?#]*(?:/|%2[Ff])|)(?:o|%6[Ff]){unit}*(?![^?#])");
        assert_eq!(url, expected);
    }
}
