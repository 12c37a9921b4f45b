//! A finalize that never said how it ended: it may be dead, or only stopped, with deletes still on their way.

use anyhow::{Context, Result};
use sqlx::Row;

use super::ledger_name::LedgerName;
use super::session::Database;
use super::sql::statement;
use crate::config::Config;
use crate::failure::Holder;

/// The unfinished finalize of this schema and legacy bucket that was alive last, if there is one.
///
/// # Errors
/// If the ledger cannot be read.
pub async fn unfinished_finalize(database: &Database, config: &Config) -> Result<Option<Holder>> {
    let name = LedgerName::new(&config.ledger_schema);
    let statement = statement!("unfinished_finalize.sql").with("ledger", &name.quoted());
    let row = sqlx::query(statement.sql())
        .bind(database.schema())
        .bind(&config.source.bucket)
        .fetch_optional(database.pool())
        .await
        .context("failed to read the runs in the ledger")?;
    let holder = row.map(|row| {
        Ok::<_, sqlx::Error>(Holder {
            host: row.try_get("host")?,
            pid: row.try_get("pid")?,
            since: row.try_get("since")?,
            silent_seconds: row.try_get("silent_seconds")?,
        })
    });
    Ok(holder.transpose()?)
}
