//! What is looked at before anything is written: tables, columns, privileges.

use anyhow::{Context, Result};
use sqlx::Row;

use super::column::TextColumn;
use super::schema::foreign_keys;
use super::session::{Database, grant_or};
use super::sql::{ident, statement};
use crate::config::{Config, TransactionRows};
use crate::failure::Failure;

/// Refuses what would fail half-way or could not be undone.
///
/// # Errors
/// [`Failure::Usage`] for missing grants, [`Failure::Refused`] for what the schema itself forbids.
pub async fn preflight(database: &Database, config: &Config, references: &[TextColumn]) -> Result<()> {
    for column in references {
        check_privileges(database, column).await?;
    }
    let reasons = schema_reasons(database, config, references).await?;
    if reasons.is_empty() {
        return Ok(());
    }
    let hint = "nothing was written; change the schema, or leave the column out with --exclude-reference".to_owned();
    Err(Failure::Refused { reasons, hint }.into())
}

/// What the schema itself forbids, by reading alone.
///
/// # Errors
/// If the database cannot be read.
pub async fn schema_reasons(database: &Database, config: &Config, references: &[TextColumn]) -> Result<Vec<String>> {
    let mut reasons = Vec::new();
    for column in references {
        reasons.extend(engine_reason(column, config));
        let charset = charset_reasons(config, column);
        if charset.is_empty() {
            reasons.extend(length_reason(database, config, column).await?);
        }
        reasons.extend(charset);
    }
    reasons.extend(foreign_key_reasons(database, references).await?);
    Ok(reasons)
}

/// The same before rows go back; `writes` asks for the privileges as well, which a dry run does not need.
///
/// # Errors
/// As [`preflight`].
pub async fn preflight_undo(database: &Database, config: &Config, columns: &[TextColumn], writes: bool) -> Result<()> {
    if writes {
        for column in columns {
            check_privileges(database, column).await?;
        }
    }
    let mut reasons: Vec<String> = columns.iter().filter_map(|column| engine_reason(column, config)).collect();
    reasons.extend(foreign_key_reasons(database, columns).await?);
    if reasons.is_empty() {
        return Ok(());
    }
    let hint = "nothing was written; change the schema, then run rollback again".to_owned();
    Err(Failure::Refused { reasons, hint }.into())
}

/// An UPDATE that matches no row: the server checks the very privileges that the cutover needs.
///
/// # Errors
/// [`Failure::Usage`] with the GRANT.
pub async fn check_privileges(database: &Database, column: &TextColumn) -> Result<()> {
    let statement = statement!("probe_update.sql")
        .with("table", &column.table(database.schema()))
        .with("assignments", &column.assignments(&format!("a.{}", column.column())));
    let columns: Vec<String> =
        std::iter::once(&column.name.column).chain(&column.touched).map(|name| ident(name)).collect();
    let privilege = format!("SELECT, UPDATE ({})", columns.join(", "));
    let grant = database.grant(&privilege, &column.table(database.schema()));
    let doing = format!("update {}", column.name);
    grant_or(sqlx::query(statement.sql()).execute(database.pool()).await, &doing, &grant).map(drop)
}

fn engine_reason(column: &TextColumn, config: &Config) -> Option<String> {
    let transactional = column.engine.eq_ignore_ascii_case("InnoDB") || column.engine.eq_ignore_ascii_case("RocksDB");
    match config.transaction_rows {
        TransactionRows::All if !transactional => Some(format!(
            "table `{}` uses {}, which has no transactions, so that its rows cannot move all or none",
            column.name.table, column.engine
        )),
        TransactionRows::All | TransactionRows::AtMost(_) => None,
    }
}

fn charset_reasons(config: &Config, column: &TextColumn) -> Vec<String> {
    let prefixes = config.mappings.all().iter().map(|mapping| mapping.modern.as_str());
    let reason = |prefix: &str| {
        format!(
            "the modern prefix `{prefix}` does not fit into the character set {} of {}; convert the column to utf8mb4",
            column.charset.as_deref().unwrap_or("binary"),
            column.name
        )
    };
    prefixes.filter(|prefix| !column.holds(prefix)).map(reason).collect()
}

async fn length_reason(database: &Database, config: &Config, column: &TextColumn) -> Result<Option<String>> {
    for mapping in config.mappings.all() {
        let (legacy, modern) = (mapping.legacy.as_str(), mapping.modern.as_str());
        if modern.len() <= legacy.len() && modern.chars().count() <= legacy.chars().count() {
            continue;
        }
        // What is out of scope stays, so that its length does not matter.
        let moves = if column.is_exact(mapping) {
            column.is_legacy(&config.mappings, mapping)
        } else {
            column.begins_with(legacy)
        };
        let length = if column.length_in_bytes { "LENGTH" } else { "CHAR_LENGTH" };
        let statement = statement!("too_long.sql")
            .with("new_length", &format!("{length}({})", column.modern_value(mapping)))
            .with("table", &column.table(database.schema()))
            .with("moves", &moves);
        let row = sqlx::query(statement.sql()).bind(column.length_max).fetch_one(database.pool()).await;
        let row = row.with_context(|| format!("failed to measure {}", column.name))?;
        let (rows, longest): (u64, u64) = (row.try_get("too_long")?, row.try_get("longest")?);
        if rows > 0 {
            let (table, name) = (&column.name.table, &column.name.column);
            return Ok(Some(format!(
                "{rows} modern paths would not fit into {table}.{name}: it takes {}, the longest needs {longest}; widen it \
                 with ALTER TABLE {} MODIFY {} …",
                column.length_max,
                ident(table),
                ident(name)
            )));
        }
    }
    Ok(None)
}

async fn foreign_key_reasons(database: &Database, references: &[TextColumn]) -> Result<Vec<String>> {
    let keys = foreign_keys(database).await?;
    let involved = keys
        .iter()
        .filter(|(child, parent)| references.iter().any(|column| column.name == *child || column.name == *parent));
    let reason = |(child, parent): &(_, _)| format!("foreign key {child} -> {parent} holds the path in place");
    Ok(involved.map(reason).collect())
}
