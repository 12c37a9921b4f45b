//! The name pattern: which last segments of a key belong to the migration.

use std::fmt;

/// The character that escapes `%`, `_` and itself in LIKE patterns. A backslash would lose its meaning under
/// NO_BACKSLASH_ESCAPES (MariaDB: "SQL_MODE").
pub const LIKE_ESCAPE: char = '|';

/// A glob on the last segment of a key: `*` stands for any text, `?` for one character, all else for itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamePattern {
    glob: Vec<char>,
}

/// Why a text is no name pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// Nothing could match.
    #[error("the name pattern is empty; `*` takes every name")]
    Empty,
    /// The pattern is for the last segment only.
    #[error("the name pattern holds a `/`, but it is compared with the last segment of a path only")]
    Slash,
    /// Character classes and alternatives exist in other globs, so taking them literally would surprise.
    #[error(
        "the name pattern holds `{0}`; only `*` and `?` are special, character classes and alternatives are not supported"
    )]
    Unsupported(char),
}

impl NamePattern {
    /// Reads a glob such as `avatar-*`.
    ///
    /// # Errors
    /// [`PatternError`] if it is empty or uses more than `*` and `?`.
    pub fn new(glob: &str) -> Result<Self, PatternError> {
        if glob.is_empty() {
            return Err(PatternError::Empty);
        }
        if glob.contains('/') {
            return Err(PatternError::Slash);
        }
        if let Some(special) = glob.chars().find(|c| ['[', ']', '{', '}', '\\'].contains(c)) {
            return Err(PatternError::Unsupported(special));
        }
        Ok(Self { glob: glob.chars().collect() })
    }

    /// Whether the whole of `segment` fits.
    #[must_use]
    pub fn matches(&self, segment: &str) -> bool {
        glob_matches(&self.glob, segment)
    }

    /// Whether every name fits.
    #[must_use]
    pub fn takes_all(&self) -> bool {
        self.glob.iter().all(|c| *c == '*')
    }

    /// The same pattern in lower case, to find names that differ in case only.
    #[must_use]
    pub fn to_lowercase(&self) -> Self {
        Self { glob: self.glob.iter().flat_map(|c| c.to_lowercase()).collect() }
    }

    /// The pattern for SQL's LIKE with [`LIKE_ESCAPE`].
    #[must_use]
    pub fn to_like(&self) -> String {
        self.glob
            .iter()
            .map(|c| match c {
                '*' => "%".to_owned(),
                '?' => "_".to_owned(),
                literal => like_literal(&literal.to_string()),
            })
            .collect()
    }

    /// The longest run of literal characters: what every matching name must hold.
    #[must_use]
    pub fn longest_literal(&self) -> String {
        let runs = self.glob.split(|c| ['*', '?'].contains(c));
        runs.max_by_key(|run| run.len()).unwrap_or_default().iter().collect()
    }
}

impl fmt::Display for NamePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.glob.iter().try_for_each(|c| write!(f, "{c}"))
    }
}

/// `text` for a LIKE pattern in which nothing of it is a wildcard.
#[must_use]
pub fn like_literal(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if ['%', '_', LIKE_ESCAPE].contains(&c) {
            escaped.push(LIKE_ESCAPE);
        }
        escaped.push(c);
    }
    escaped
}

/// Walks both sides once; on a dead end the last `*` takes one more character. Linear for one star, never exponential.
fn glob_matches(glob: &[char], text: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    let (mut g, mut t) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while t < text.len() {
        match glob.get(g) {
            Some('*') => {
                retry = Some((g + 1, t));
                g += 1;
            }
            Some(c) if *c == '?' || text.get(t) == Some(c) => {
                g += 1;
                t += 1;
            }
            Some(_) | None => {
                let Some((after_star, taken)) = retry else { return false };
                retry = Some((after_star, taken + 1));
                (g, t) = (after_star, taken + 1);
            }
        }
    }
    glob.iter().skip(g).all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_glob_matches_the_whole_segment() {
        let cases = [
            ("avatar-*", "avatar-1.png", true),
            ("avatar-*", "avatar-", true),
            ("avatar-*", "Avatar-1.png", false),
            ("avatar-*", "xavatar-1.png", false),
            ("*", "", true),
            ("*.png", "a.png.png", true),
            ("a?c", "aéc", true),
            ("a?c", "ac", false),
            ("*a*b*", "xxaxxbxx", true),
            ("*a*b", "xxaxxbx", false),
            ("50%_off|*", "50%_off|1", true),
        ];
        for (glob, segment, expected) in cases {
            let pattern = NamePattern::new(glob).expect(glob);
            assert_eq!(pattern.matches(segment), expected, "{glob} on {segment}");
        }
    }

    #[test]
    fn what_other_globs_know_is_refused_rather_than_taken_literally() {
        assert_eq!(NamePattern::new(""), Err(PatternError::Empty));
        assert_eq!(NamePattern::new("a/*"), Err(PatternError::Slash));
        assert_eq!(NamePattern::new("avatar-[0-9]"), Err(PatternError::Unsupported('[')));
        assert_eq!(NamePattern::new("{a,b}"), Err(PatternError::Unsupported('{')));
    }

    #[test]
    fn like_patterns_escape_what_is_literal() {
        let pattern = NamePattern::new("50%_|?*").expect("a pattern");
        assert_eq!(pattern.to_like(), "50|%|_||_%");
        assert_eq!(pattern.longest_literal(), "50%_|");
    }
}
