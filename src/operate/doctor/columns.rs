//! The lines about what the server does with values, and about columns that are made from others.

use anyhow::Error;

use super::{Check, Side};
use crate::database::{GeneratedColumn, ServerFacts, TextColumn};

/// Whether the server refuses values that do not fit.
#[must_use]
pub fn sql_mode(facts: &ServerFacts) -> Check {
    let (name, side) = ("sql mode", Side::Database);
    if facts.sql_mode.split(',').any(|mode| mode.starts_with("STRICT_")) {
        return Check::pass(name, side, "strict: values that do not fit are refused");
    }
    Check::warn(
        name,
        side,
        "not strict: what the application writes is cut where it does not fit",
        "this program's own sessions are strict; look whether columns are wide enough for the application's modern paths",
    )
}

/// Columns that follow the paths.
#[must_use]
pub fn generated_columns(asked: &Result<Vec<GeneratedColumn>, Error>, references: &[TextColumn]) -> Check {
    let (name, side) = ("generated columns", Side::Database);
    let columns = match asked {
        Ok(columns) => columns,
        Err(error) => return Check::warn(name, side, format!("unknown: {error:#}"), "look for them yourself"),
    };
    let follows = |column: &&GeneratedColumn| {
        let of_table = references.iter().filter(|reference| reference.name.table == column.name.table);
        let mut names = of_table.map(|reference| format!("`{}`", reference.name.column.replace('`', "``")));
        names.any(|path| column.made_from.contains(&path))
    };
    let following: Vec<String> = columns.iter().filter(follows).map(|column| column.name.to_string()).collect();
    if following.is_empty() {
        return Check::pass(name, side, "none is made from a path");
    }
    let advice =
        "they change with the path: see whether anything looks rows up by their old values, or whether they are unique";
    Check::warn(name, side, following.join(", "), advice)
}
