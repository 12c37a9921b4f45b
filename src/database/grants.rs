//! The privileges that this user has on a whole schema, roles included: what SHOW GRANTS says, read.

use anyhow::{Context, Result};

use super::session::Database;
use super::sql::statement;

/// What every command that writes needs of the ledger's schema. What an earlier run has shared among workers is deleted by the
/// next one, so that none of them goes on.
pub(super) const TO_RECORD: [&str; 5] = ["SELECT", "INSERT", "UPDATE", "DELETE", "CREATE"];
/// What `rollback` needs besides: the journal's rows are laid out beside those that are there.
pub(super) const TO_UNDO: &str = "CREATE TEMPORARY TABLES";

/// Whether the user has this privilege on every table of `schema`, those that do not exist yet included.
#[derive(Clone, Debug, Default)]
pub(super) struct SchemaPrivileges(Vec<String>);

impl SchemaPrivileges {
    /// Asks the server.
    pub(super) async fn of(database: &Database, schema: &str) -> Result<Self> {
        let lines: Vec<String> = sqlx::query_scalar(statement!("grants.sql").sql())
            .fetch_all(database.pool())
            .await
            .context("failed to read the user's grants")?;
        Ok(Self(lines.iter().filter_map(|line| on_schema(line, schema)).flatten().collect()))
    }

    /// Whether this one is among them.
    pub(super) fn has(&self, privilege: &str) -> bool {
        self.0.iter().any(|held| held == privilege || held == "ALL PRIVILEGES")
    }
}

/// The privileges of a line such as `` GRANT SELECT, INSERT ON `a\_b`.* TO … ``, if it covers all of `schema`.
fn on_schema(line: &str, schema: &str) -> Option<Vec<String>> {
    let (privileges, rest) = line.strip_prefix("GRANT ")?.split_once(" ON ")?;
    let covers = rest.starts_with("*.* ") || {
        let (pattern, rest) = quoted(rest)?;
        rest.starts_with(".* ") && like(&pattern.chars().collect::<Vec<_>>(), &schema.chars().collect::<Vec<_>>())
    };
    covers.then(|| privileges.split(", ").map(str::to_owned).collect())
}

/// An identifier in back-ticks at the beginning of `text`, and what follows it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut rest = text.strip_prefix('`')?;
    let mut name = String::new();
    loop {
        let (part, after) = rest.split_once('`')?;
        name.push_str(part);
        match after.strip_prefix('`') {
            Some(more) => {
                name.push('`');
                rest = more;
            }
            None => return Some((name, after)),
        }
    }
}

/// The schema of a grant is a pattern of LIKE with a backslash as its escape (MariaDB: "GRANT", database privileges).
fn like(pattern: &[char], text: &[char]) -> bool {
    match (pattern, text) {
        ([], []) => true,
        (['%', rest @ ..], _) => like(rest, text) || matches!(text, [_, tail @ ..] if like(pattern, tail)),
        (['\\', literal, rest @ ..], [first, tail @ ..]) => literal == first && like(rest, tail),
        (['_', rest @ ..], [_, tail @ ..]) => like(rest, tail),
        ([literal, rest @ ..], [first, tail @ ..]) => literal == first && like(rest, tail),
        ([], [_, ..]) | ([_, ..], []) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_covers_the_schemas_that_it_names() {
        let line = |object: &str| format!("GRANT SELECT, CREATE TEMPORARY TABLES ON {object} TO `a`@`b`");
        for (object, schema, covers) in [
            ("*.*", "any", true),
            ("`production-db`.*", "production-db", true),
            ("`production-db`.*", "production-db2", false),
            ("`production-db`.`avatars`", "production-db", false),
            ("`a\\_b`.*", "a_b", true),
            ("`a\\_b`.*", "axb", false),
            ("`a_b`.*", "axb", true),
            ("`a%`.*", "a", true),
            ("`a%`.*", "abc", true),
            ("`a``b`.*", "a`b", true),
            ("`x` TO `", "x", false),
        ] {
            let expected = covers.then(|| vec!["SELECT".to_owned(), "CREATE TEMPORARY TABLES".to_owned()]);
            assert_eq!(on_schema(&line(object), schema), expected, "{object} {schema}");
        }
        for other in ["GRANT `r1` TO `u`@`localhost`", "SET DEFAULT ROLE `r1` FOR `u`@`localhost`", ""] {
            assert_eq!(on_schema(other, "r1"), None, "{other}");
        }
    }

    #[test]
    fn all_privileges_are_each_of_them() {
        let held = |line: &str| SchemaPrivileges(on_schema(line, "x").unwrap_or_default());
        assert!(held("GRANT ALL PRIVILEGES ON `x`.* TO `r2`").has("TRIGGER"));
        assert!(!held("GRANT USAGE ON *.* TO `u`@`localhost`").has("TRIGGER"));
    }
}
