//! `table.column`, with back-ticks around names that hold dots.

use super::{ColumnName, ConfigError, IDENTIFIER_CHARACTERS_MAX};

impl ColumnName {
    /// Reads `table.column`; either name may stand in back-ticks (a back-tick inside is doubled, as in SQL).
    ///
    /// # Errors
    /// [`ConfigError`] if there are not exactly two names, or one of them is empty or longer than MariaDB allows.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let wrong = || {
            ConfigError::new(format!("`{text}` is not of the form table.column"))
                .hint("write for example avatars.path, and `my.table`.`my.column` for names that hold dots")
        };
        let (table, rest) = name(text).ok_or_else(wrong)?;
        let (column, rest) = rest.strip_prefix('.').and_then(name).ok_or_else(wrong)?;
        if !rest.is_empty() {
            return Err(wrong());
        }
        Ok(Self { table: identifier(table, "the table's name")?, column: identifier(column, "the column's name")? })
    }
}

/// The same text if MariaDB takes it as the name of a schema, table or column.
pub(super) fn identifier(name: String, what: &str) -> Result<String, ConfigError> {
    let length = name.chars().count();
    if length > IDENTIFIER_CHARACTERS_MAX {
        let limit = IDENTIFIER_CHARACTERS_MAX;
        return Err(ConfigError::new(format!("{what} has {length} characters; MariaDB allows {limit}")));
    }
    if name.is_empty() || name.ends_with(' ') || name.contains('\0') {
        return Err(ConfigError::new(format!("{what} is empty, ends with a space or holds a NUL character")));
    }
    Ok(name)
}

/// The first name of `text`, and what follows it.
fn name(text: &str) -> Option<(String, &str)> {
    let Some(mut rest) = text.strip_prefix('`') else {
        let (name, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
        return (!name.is_empty() && !name.contains('`')).then(|| (name.to_owned(), rest));
    };
    let mut name = String::new();
    loop {
        let (part, after) = rest.split_once('`')?;
        name.push_str(part);
        let Some(next) = after.strip_prefix('`') else { return (!name.is_empty()).then_some((name, after)) };
        name.push('`');
        rest = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_a_table_and_a_column() {
        let cases = [
            ("avatars.path", "avatars", "path"),
            ("my table.my column", "my table", "my column"),
            ("`a.b`.`c.d`", "a.b", "c.d"),
            ("`a``b`.c", "a`b", "c"),
            ("a.`b.c`", "a", "b.c"),
            ("bücher.größe", "bücher", "größe"),
        ];
        for (text, table, column) in cases {
            let name = ColumnName { table: table.to_owned(), column: column.to_owned() };
            assert_eq!(ColumnName::parse(text), Ok(name), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "avatars", "avatars.", ".path", "a.b.c", "`a.b", "``.a", "`a`b.c", "a`b.c", "`a`.`b`.c"] {
            let error = ColumnName::parse(text).expect_err(text);
            assert_eq!(error.message, format!("`{text}` is not of the form table.column"));
        }
        let long = format!("{}.path", "x".repeat(65));
        let error = ColumnName::parse(&long).expect_err("too long");
        assert_eq!(error.message, "the table's name has 65 characters; MariaDB allows 64");
        assert!(ColumnName::parse(&format!("{}.path", "ä".repeat(64))).is_ok());
    }
}
