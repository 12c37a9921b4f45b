//! Whether two texts are the same CHECK clause: the server stores another text than it was given.
//!
//! `CHECK (a NOT REGEXP 'x')` comes back as `!(`a` regexp 'x')`. Blanks, brackets, the case of words, and the way in which
//! texts are quoted and negations written are no difference; names, texts and all else are.

use std::iter::Peekable;
use std::str::Chars;

/// A clause without what the server may write otherwise.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Clause {
    negated: bool,
    tokens: Vec<Token>,
}

#[derive(Debug, PartialEq, Eq)]
enum Token {
    Name(String),
    Text(Vec<u8>),
    Word(String),
}

impl Clause {
    pub(super) fn read(text: &str) -> Self {
        let mut clause = Self { negated: false, tokens: Vec::new() };
        let mut chars = text.chars().peekable();
        while let Some(first) = chars.next() {
            match first {
                '(' | ')' => {}
                blank if blank.is_whitespace() => {}
                '!' => clause.negated = !clause.negated,
                '`' => clause.tokens.push(Token::Name(quoted(&mut chars, '`'))),
                '\'' => clause.tokens.push(Token::Text(quoted(&mut chars, '\'').into_bytes())),
                'x' | 'X' if chars.peek() == Some(&'\'') => {
                    chars.next();
                    clause.tokens.push(Token::Text(from_hex(&quoted(&mut chars, '\''))));
                }
                letter => {
                    let mut word = letter.to_ascii_lowercase().to_string();
                    while let Some(next) = chars.next_if(|c| is_of_word(letter) && is_of_word(*c)) {
                        word.push(next.to_ascii_lowercase());
                    }
                    clause.word(word);
                }
            }
        }
        clause
    }

    fn word(&mut self, word: String) {
        match word.as_str() {
            "not" => self.negated = !self.negated,
            // `CAST(… AS BINARY)` is stored as `cast(… as char charset binary)`.
            "char" | "charset" | "_utf8mb4" => {}
            _ => self.tokens.push(Token::Word(word)),
        }
    }
}

fn is_of_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// What stands up to the closing quote, which is doubled or escaped inside.
fn quoted(chars: &mut Peekable<Chars<'_>>, quote: char) -> String {
    let mut text = String::new();
    while let Some(next) = chars.next() {
        match next {
            '\\' if quote == '\'' => text.extend(chars.next().map(unescaped)),
            end if end == quote && chars.next_if_eq(&quote).is_none() => break,
            other => text.push(other),
        }
    }
    text
}

fn unescaped(character: char) -> char {
    match character {
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        '0' => '\0',
        'Z' => '\u{1a}',
        other => other,
    }
}

fn from_hex(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).filter_map(|at| u8::from_str_radix(hex.get(at..at + 2)?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::Clause;

    #[test]
    fn what_the_server_stores_is_the_same_clause() {
        let given = "CAST(CONVERT(`we``ird` USING utf8mb4) AS BINARY) NOT REGEXP 'it''s [^/]*'";
        let stored = r"!(cast(convert(`we``ird` using utf8mb4) as char charset binary) regexp 'it\'s [^/]*')";
        assert_eq!(Clause::read(given), Clause::read(stored));
        assert_eq!(Clause::read("`b` NOT REGEXP X'5EC3A95C5C'"), Clause::read(r"!(`b` regexp X'5ec3a95c5c')"));
        assert_eq!(Clause::read("`b` NOT REGEXP X'615C'"), Clause::read(r"`b` not regexp 'a\\'"));
    }

    #[test]
    fn another_clause_stays_another_one() {
        let clause = Clause::read("`path` NOT REGEXP '^image/'");
        for other in [
            "`path` REGEXP '^image/'",
            "NOT (`path` NOT REGEXP '^image/')",
            "`Path` NOT REGEXP '^image/'",
            "`path` NOT REGEXP '^Image/'",
            "`path` NOT REGEXP '^image/' OR 1",
            "`path` NOT REGEXP '^image /'",
            "`path` NOT REGEXP `^image/`",
            "1",
            "",
        ] {
            assert_ne!(clause, Clause::read(other), "{other}");
        }
    }
}
