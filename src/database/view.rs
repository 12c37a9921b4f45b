//! The ledger as a reader without privileges on it sees it: whatever can be read, or nothing.

use anyhow::{Context, Result};
use sqlx::mysql::MySqlPool;

use super::ledger::fingerprint;
use super::ledger_name::LedgerName;
use super::objects::{LedgerObject, object};
use super::session::{Database, error_number, grant_or};
use super::sql::{Statement, statement};
use crate::config::Config;
use crate::path::ObjectKey;

/// The ledger of this migration, opened for reading.
#[derive(Clone, Debug)]
pub struct LedgerView {
    pool: MySqlPool,
    name: LedgerName,
    migration: u32,
}

impl LedgerView {
    /// The view, if there is a ledger that this user can read and it knows this migration: no ledger, no privilege, no such
    /// migration is all the same to a reader that trusts nothing recorded.
    pub async fn open(database: &Database, config: &Config) -> Option<Self> {
        Self::read(database, config).await.ok().flatten()
    }

    /// The view, if there is a ledger and it knows this migration.
    ///
    /// # Errors
    /// [`crate::failure::Failure::Usage`] with the GRANT to run, if the user may not read the ledger; if it cannot be read.
    pub async fn read(database: &Database, config: &Config) -> Result<Option<Self>> {
        let name = LedgerName::new(&config.ledger_schema);
        let statement = statement!("migration_get.sql").with("ledger", &name.quoted());
        let fingerprint = fingerprint(config);
        let query = sqlx::query_scalar(statement.sql()).bind(fingerprint.as_slice());
        let found: Option<u32> = match query.fetch_optional(database.pool()).await {
            // No such schema, no such table.
            Err(error) if matches!(error_number(&error), Some(1049 | 1146)) => None,
            found => grant_or(found, "read the ledger", &database.grant_on_schema("SELECT", name.as_str()))?,
        };
        Ok(found.map(|migration| Self { pool: database.pool().clone(), name, migration }))
    }

    pub(crate) fn migration(&self) -> u32 {
        self.migration
    }

    pub(crate) fn pool(&self) -> &MySqlPool {
        &self.pool
    }

    /// A statement with the ledger's schema put in.
    pub(crate) fn statement(&self, statement: Statement) -> Statement {
        statement.with("ledger", &self.name.quoted())
    }

    /// Objects in key order, from `key` on.
    ///
    /// # Errors
    /// If the ledger went away.
    pub async fn objects_from(&self, key: &ObjectKey, limit: usize) -> Result<Vec<LedgerObject>> {
        let statement = statement!("objects_from.sql").with("ledger", &self.name.quoted());
        let rows = sqlx::query(statement.sql())
            .bind(self.migration)
            .bind(key.as_str().as_bytes())
            .bind(u64::try_from(limit)?)
            .fetch_all(&self.pool)
            .await
            .context("failed to read the ledger")?;
        rows.iter().map(object).collect()
    }

    /// Starts the grace clock if `clean`, or resets it: it runs from the first clean verify since a legacy row was last
    /// seen. Without the privilege to write nothing happens; gives whether it could be written.
    pub async fn set_grace_clock(&self, clean: bool) -> bool {
        let statement = statement!("grace_clock.sql").with("ledger", &self.name.quoted());
        sqlx::query(statement.sql()).bind(clean).bind(self.migration).execute(&self.pool).await.is_ok()
    }

    /// For how many seconds the grace clock has run; `None` if it stands still.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub async fn clean_for_seconds(&self) -> Result<Option<i64>> {
        let statement = statement!("clean_for.sql").with("ledger", &self.name.quoted());
        Ok(sqlx::query_scalar(statement.sql()).bind(self.migration).fetch_one(&self.pool).await?)
    }
}
