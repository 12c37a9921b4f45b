//! What the ledger tells of one object to who only reads: what became of it, and which rows were moved.

use anyhow::{Context, Result};
use serde::Serialize;
use sqlx::Row;
use sqlx::mysql::MySqlRow;

use super::sql::{bytes, statement, text};
use super::standing::in_time;
use super::view::LedgerView;
use crate::path::ObjectKey;

/// What became of an object, as it was noted last.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Recorded {
    /// Its state.
    pub state: String,
    /// The run that set it.
    pub run: u64,
    /// The command of that run; empty if that is not known any more.
    pub name: String,
    /// When that run began (UTC, RFC 3339).
    pub at: String,
    /// Why, for a person.
    pub detail: String,
}

/// A row that was moved.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RowMove {
    /// The run that moved it.
    pub run: u64,
    /// When (UTC, RFC 3339).
    pub at: String,
    /// Its table.
    pub table: String,
    /// Its column.
    pub column: String,
    /// Its primary key as text.
    pub primary_key: String,
    /// What it held.
    pub old: String,
    /// What it held then.
    pub new: String,
    /// The run that put it back, if one did.
    pub undone_by: Option<u64>,
}

impl LedgerView {
    /// What became of an object; none, if no run dealt with it.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub async fn recorded(&self, source: &ObjectKey) -> Result<Option<Recorded>> {
        let statement = self.statement(statement!("explain_object.sql"));
        let query = sqlx::query(statement.sql()).bind(self.migration()).bind(source.as_str().as_bytes());
        let row = query.fetch_optional(self.pool()).await.context("failed to read the ledger")?;
        row.map(|row| {
            Ok(Recorded {
                state: row.try_get("state")?,
                run: row.try_get("run")?,
                name: row.try_get("command")?,
                at: row.try_get("at")?,
                detail: row.try_get("detail")?,
            })
        })
        .transpose()
    }

    /// The last rows that were moved from one of these legacy paths; `None` if the journal is too long to be searched in 5
    /// seconds.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub async fn moves(&self, legacy_paths: &[String]) -> Result<Option<Vec<RowMove>>> {
        if legacy_paths.is_empty() {
            return Ok(Some(Vec::new()));
        }
        let values: Vec<String> = legacy_paths.iter().map(|path| format!("CAST({} AS BINARY)", text(path))).collect();
        let statement = self.statement(statement!("explain_changes.sql")).with("values", &values.join(", "));
        let found = sqlx::query(statement.sql()).bind(self.migration()).fetch_all(self.pool()).await;
        let Some(found) = in_time(found).context("failed to read the journal")? else { return Ok(None) };
        found.iter().map(row_move).collect::<Result<_>>().map(Some)
    }
}

fn row_move(row: &MySqlRow) -> Result<RowMove> {
    Ok(RowMove {
        run: row.try_get("run")?,
        at: row.try_get("at")?,
        table: row.try_get("table_name")?,
        column: row.try_get("column_name")?,
        primary_key: bytes(row, "row_key")?,
        old: bytes(row, "old_value")?,
        new: bytes(row, "new_value")?,
        undone_by: row.try_get("undone_by")?,
    })
}
