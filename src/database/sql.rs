//! Statements from `sql/`, identifiers and literals: the one place where SQL text is put together.

use sqlx::AssertSqlSafe;

/// A statement of `sql/` whose `{placeholders}` are identifiers and expressions made in this room, never data.
#[derive(Clone, Debug)]
pub(crate) struct Statement(String);

impl Statement {
    /// Takes the text of a file without its head comment.
    pub(crate) fn new(file: &str) -> Self {
        let lines = file.lines().skip_while(|line| line.starts_with("--"));
        Self(lines.collect::<Vec<_>>().join("\n"))
    }

    /// Puts an identifier or expression in the place of `{name}`.
    pub(crate) fn with(mut self, name: &str, expression: &str) -> Self {
        self.0 = self.0.replace(&format!("{{{name}}}"), expression);
        self
    }

    /// The finished text: every identifier in it went through [`ident`], every literal through [`text`].
    pub(crate) fn sql(self) -> AssertSqlSafe<String> {
        debug_assert!(!has_placeholder(&self.0), "a placeholder is left in {}", self.0);
        AssertSqlSafe(self.0)
    }
}

fn has_placeholder(sql: &str) -> bool {
    sql.split('{').skip(1).any(|rest| {
        rest.split_once('}')
            .is_some_and(|(name, _)| !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c == '_'))
    })
}

/// Includes a file of `sql/`.
macro_rules! statement {
    ($file:literal) => {
        $crate::database::sql::Statement::new(include_str!(concat!("../../sql/", $file)))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_identifiers_and_texts_stay_inside_their_quotes() {
        assert_eq!(ident("a`; drop table b"), "`a``; drop table b`");
        assert_eq!(text("a'\\"), "_utf8mb4 X'61275C'");
    }

    #[test]
    fn the_head_comment_is_not_sent() {
        let statement = Statement::new("-- purpose\n-- index\nSELECT {x}\n").with("x", "1");
        assert_eq!(statement.0, "SELECT 1");
    }
}
