//! A finalize that never said how it ended: it may be dead, or only stopped, with deletes still on their way.

use anyhow::{Context, Result};

use super::ledger_name::LedgerName;
use super::lock::holder_of;
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
    row.map(|row| holder_of(&row).context("failed to read the runs in the ledger")).transpose()
}
