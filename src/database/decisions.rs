//! Decisions of a person about twins that differ, on the record. The ledger never decides: it carries them, and each one
//! counts only while both live ETags are those that the person saw.

use std::collections::HashMap;

use anyhow::{Context, Result};
use sqlx::Row;
use sqlx::mysql::{MySqlPool, MySqlRow};

use super::ledger::Ledger;
use super::lock::RunLock;
use super::sql::{Statement, bytes, statement};
use super::view::LedgerView;
use crate::path::{ETag, ObjectKey};

/// That the target of an object stays as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The source's ETag when it was decided.
    pub source_etag: ETag,
    /// The target's.
    pub target_etag: ETag,
    /// Who, as the database knows them: `user@host`.
    pub by: String,
    /// When (UTC, database time).
    pub at: String,
}

/// All decisions of a migration by source key: made one by one, so that memory holds them.
#[derive(Clone, Debug, Default)]
pub struct Decisions(HashMap<ObjectKey, Decision>);

impl Decisions {
    /// What was decided about an object.
    #[must_use]
    pub fn of(&self, source: &ObjectKey) -> Option<&Decision> {
        self.0.get(source)
    }

    /// What a reader can see of them: without a ledger, or with one of an older version, nothing was decided.
    pub async fn seen(view: Option<&LedgerView>) -> Self {
        let Some(view) = view else { return Self::default() };
        let statement = view.statement(statement!("decisions.sql"));
        Self::read(view.pool(), statement, view.migration()).await.unwrap_or_default()
    }

    async fn read(pool: &MySqlPool, statement: Statement, migration: u32) -> Result<Self> {
        let rows = sqlx::query(statement.sql()).bind(migration).fetch_all(pool).await;
        let rows = rows.context("failed to read decisions from the ledger")?;
        rows.iter().map(decision).collect::<Result<_>>().map(Self)
    }
}

impl Ledger {
    /// What was decided so far.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub async fn decisions(&self) -> Result<Decisions> {
        Decisions::read(self.pool(), self.statement(statement!("decisions.sql")), self.migration()).await
    }

    /// Notes that the target stays.
    ///
    /// # Errors
    /// If the ledger cannot be written, or the lock is lost.
    pub async fn decide(&self, lock: &RunLock, source: &ObjectKey, etags: (&ETag, &ETag)) -> Result<()> {
        sqlx::query(self.statement(statement!("decision_put.sql")).sql())
            .bind(self.migration())
            .bind(source.as_str().as_bytes())
            .bind(etags.0.as_str().as_bytes())
            .bind(etags.1.as_str().as_bytes())
            .bind(self.run())
            .execute(&mut *lock.connection().await?)
            .await
            .context("failed to write the decision to the ledger")?;
        Ok(())
    }

    /// Takes an earlier decision back.
    ///
    /// # Errors
    /// As [`Self::decide`].
    pub async fn undecide(&self, lock: &RunLock, source: &ObjectKey) -> Result<()> {
        let drop = sqlx::query(self.statement(statement!("decision_drop.sql")).sql());
        let drop = drop.bind(self.migration()).bind(source.as_str().as_bytes());
        drop.execute(&mut *lock.connection().await?).await.context("failed to write to the ledger")?;
        Ok(())
    }
}

fn decision(row: &MySqlRow) -> Result<(ObjectKey, Decision)> {
    let (source_etag, target_etag) = (ETag::new(&bytes(row, "source_etag")?), ETag::new(&bytes(row, "target_etag")?));
    let decision =
        Decision { source_etag, target_etag, by: row.try_get("decided_by")?, at: row.try_get("decided_at")? };
    Ok((ObjectKey::new(bytes(row, "source_key")?)?, decision))
}
