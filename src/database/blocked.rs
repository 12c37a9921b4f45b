//! Legacy rows that stay although they were planned: how many of them are in conflict.

use anyhow::{Context, Result};

use super::column::TextColumn;
use super::ledger::Ledger;
use super::named::NamedObject;
use super::session::Database;
use super::sql::statement;
use crate::config::Config;

/// Counts the legacy rows whose object is in conflict, or whose new path a unique key forbids.
///
/// # Errors
/// If the rows or the ledger cannot be read.
pub async fn count_blocked_rows(
    database: &Database,
    ledger: &Ledger,
    config: &Config,
    references: &[TextColumn],
) -> Result<u64> {
    let mut rows = 0_u64;
    for column in references {
        for mapping in config.mappings.all() {
            let clashes = column.clashes(database.schema(), mapping).unwrap_or_else(|| "FALSE".to_owned());
            let named = NamedObject::of(column, mapping, ledger);
            let statement = ledger
                .statement(statement!("blocked_rows.sql"))
                .with("table", &column.table(database.schema()))
                .with("urls", &named.urls)
                .with("source_key", &named.source_key)
                .with("legacy_prefix", &column.begins_with(mapping.legacy.as_str()))
                .with("clashes", &clashes);
            let of_mapping: u64 = sqlx::query_scalar(statement.sql())
                .bind(ledger.migration())
                .bind(ledger.run())
                .fetch_one(database.pool())
                .await
                .context("failed to count rows in conflict")?;
            rows += of_mapping;
        }
    }
    Ok(rows)
}
