//! Statements from `sql/`, identifiers and literals: the one place where SQL text is put together.

use sqlx::mysql::MySqlRow;
use sqlx::{AssertSqlSafe, Row};

/// A statement of `sql/` whose `{placeholders}` are identifiers and expressions made in this room, never data.
#[derive(Clone, Debug)]
pub(crate) struct Statement {
    template: String,
    values: Vec<(String, String)>,
}

impl Statement {
    /// Takes the text of a file without its head comment.
    pub(crate) fn new(file: &str) -> Self {
        let lines = file.lines().skip_while(|line| line.starts_with("--"));
        Self { template: lines.collect::<Vec<_>>().join("\n"), values: Vec::new() }
    }

    /// Puts an identifier or expression in the place of `{name}`.
    pub(crate) fn with(mut self, name: &str, expression: &str) -> Self {
        self.values.push((name.to_owned(), expression.to_owned()));
        self
    }

    /// The finished text: every identifier in it went through [`ident`], every literal through [`text`].
    ///
    /// All places are filled in one pass, as a column may well be named `{value}`.
    pub(crate) fn sql(self) -> AssertSqlSafe<String> {
        let mut sql = String::with_capacity(self.template.len());
        let mut rest = self.template.as_str();
        while let Some((before, after)) = rest.split_once('{') {
            sql.push_str(before);
            let place = after.split_once('}').and_then(|(name, after)| {
                let (_, expression) = self.values.iter().find(|(known, _)| known == name)?;
                Some((expression, after))
            });
            debug_assert!(place.is_some(), "a placeholder is left in {}", self.template);
            let (expression, after) = place.map_or(("{", after), |(expression, after)| (expression.as_str(), after));
            sql.push_str(expression);
            rest = after;
        }
        sql.push_str(rest);
        AssertSqlSafe(sql)
    }
}

/// Includes a file of `sql/`.
macro_rules! statement {
    ($file:literal) => {
        $crate::database::sql::Statement::new(include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/sql/", $file)))
    };
}
pub(crate) use statement;

/// A quoted identifier; back-ticks inside are doubled (MariaDB: "Identifier Names").
pub(crate) fn ident(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// A text literal in hexadecimal: independent of sql_mode, and nothing in it can end it.
pub(crate) fn text(value: &str) -> String {
    use std::fmt::Write as _;
    let mut literal = String::from("_utf8mb4 X'");
    for byte in value.bytes() {
        // Writing to a String cannot fail.
        write!(literal, "{byte:02X}").unwrap_or_default();
    }
    literal.push('\'');
    literal
}

/// A text literal that a person can read where it is plain, else its bytes in hexadecimal; no sql_mode changes either.
pub(crate) fn readable(value: &str) -> String {
    let plain = value.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b'\\');
    if plain { format!("'{}'", value.replace('\'', "''")) } else { text(value).replace("_utf8mb4 ", "") }
}

/// A column of bytes as text; what is no UTF-8 is shown as such.
pub(crate) fn bytes(row: &MySqlRow, column: &str) -> sqlx::Result<String> {
    Ok(String::from_utf8_lossy(&row.try_get::<Vec<u8>, _>(column)?).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_readable_text_stays_inside_its_quotes_in_every_mode() {
        assert_eq!(readable("it's \"x\""), "'it''s \"x\"'");
        assert_eq!(readable("a\\"), "X'615C'");
        assert_eq!(readable("é"), "X'C3A9'");
    }

    #[test]
    fn hostile_identifiers_and_texts_stay_inside_their_quotes() {
        assert_eq!(ident("a`; drop table b"), "`a``; drop table b`");
        assert_eq!(text("a'\\"), "_utf8mb4 X'61275C'");
    }

    #[test]
    fn the_head_comment_is_not_sent() {
        let statement = Statement::new("-- purpose\n-- index\nSELECT {x}\n").with("x", "1");
        assert_eq!(statement.sql().0, "SELECT 1");
    }

    #[test]
    fn a_name_that_looks_like_a_placeholder_is_only_a_name() {
        let statement = Statement::new("SELECT {a} FROM {b}").with("a", "`{b}`").with("b", "`{a}`");
        assert_eq!(statement.sql().0, "SELECT `{b}` FROM `{a}`");
    }
}
