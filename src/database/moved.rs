//! Which columns the rows came from that a run moved lately.

use std::collections::BTreeMap;

use anyhow::{Context, Result};

use super::ledger::Ledger;
use super::sql::statement;
use crate::config::ColumnName;

/// Reads the journal from where it was read last.
#[derive(Clone, Copy, Debug)]
pub struct MovedSince {
    last: u64,
}

impl MovedSince {
    /// From its end on.
    ///
    /// # Errors
    /// If the journal cannot be read.
    pub async fn now(ledger: &Ledger) -> Result<Self> {
        let statement = ledger.statement(statement!("journal_end.sql"));
        let last = sqlx::query_scalar(statement.sql()).fetch_one(ledger.pool()).await;
        Ok(Self { last: last.context("failed to read the journal")? })
    }

    /// How many rows of each column the run has moved since the last call.
    ///
    /// # Errors
    /// If the journal cannot be read.
    pub async fn read(&mut self, ledger: &Ledger) -> Result<BTreeMap<ColumnName, u64>> {
        let statement = ledger.statement(statement!("journal_since.sql"));
        let query = sqlx::query_as(statement.sql()).bind(self.last).bind(ledger.run());
        let columns: Vec<(String, String, u64, u64)> =
            query.fetch_all(ledger.pool()).await.context("failed to read the journal")?;
        let moved = columns.into_iter().map(|(table, column, moved, last)| {
            self.last = self.last.max(last);
            (ColumnName { table, column }, moved)
        });
        Ok(moved.collect())
    }
}
