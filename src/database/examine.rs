//! What `doctor` asks of the server: facts, by reading alone. No lock is taken and nothing is written.

use anyhow::{Context, Result};
use sqlx::Row;

use super::grants::{SchemaPrivileges, TO_RECORD, TO_UNDO};
use super::ledger::create_statements;
use super::ledger_name::LedgerName;
use super::session::{Database, is_denied};
use super::sql::statement;
use crate::config::ColumnName;

/// Whether the server was set up as a replica of another one, running or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replica {
    /// It is none.
    No,
    /// It is one.
    Yes,
    /// This user may not ask.
    Unknown,
}

/// A trigger that an update of rows starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trigger {
    /// Its name.
    pub name: String,
    /// The table.
    pub table: String,
    /// `BEFORE UPDATE` or `AFTER UPDATE`.
    pub at: String,
}

/// A column whose values the server makes from other columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GeneratedColumn {
    /// Its name.
    pub name: ColumnName,
    /// The expression, with names in back-ticks.
    pub made_from: String,
}

/// The cipher of a session; `None` if it is not encrypted.
///
/// # Errors
/// If the database cannot be read.
pub async fn session_cipher(database: &Database) -> Result<Option<String>> {
    let row = sqlx::query(statement!("session_cipher.sql").sql()).fetch_optional(database.pool()).await?;
    let cipher: Option<String> = row.map(|row| row.try_get(1)).transpose()?;
    Ok(cipher.filter(|cipher| !cipher.is_empty()))
}

/// Whether the server is a replica.
///
/// # Errors
/// If the database cannot be read, for any other reason than a missing privilege.
pub async fn replica(database: &Database) -> Result<Replica> {
    match sqlx::query(statement!("replica.sql").sql()).fetch_all(database.pool()).await {
        Ok(rows) if rows.is_empty() => Ok(Replica::No),
        Ok(_) => Ok(Replica::Yes),
        Err(error) if is_denied(&error) => Ok(Replica::Unknown),
        Err(error) => Err(error).context("failed to ask whether the server is a replica"),
    }
}

/// The triggers that an update of rows starts; `None` if this user could not see them.
///
/// # Errors
/// If the database cannot be read.
pub async fn update_triggers(database: &Database) -> Result<Option<Vec<Trigger>>> {
    let rows = sqlx::query(statement!("triggers.sql").sql()).bind(database.schema()).fetch_all(database.pool()).await?;
    let triggers = rows.iter().map(|row| {
        Ok::<_, sqlx::Error>(Trigger {
            name: row.try_get("trigger_name")?,
            table: row.try_get("table_name")?,
            at: row.try_get("at")?,
        })
    });
    let triggers: Vec<Trigger> = triggers.collect::<Result<_, _>>()?;
    let may_see = SchemaPrivileges::of(database, database.schema()).await?.has("TRIGGER");
    // What is seen is there, whatever else is hidden.
    Ok((may_see || !triggers.is_empty()).then_some(triggers))
}

/// The generated columns of the schema that this user can see.
///
/// # Errors
/// If the database cannot be read.
pub async fn generated_columns(database: &Database) -> Result<Vec<GeneratedColumn>> {
    let statement = statement!("generated_columns.sql");
    let rows = sqlx::query(statement.sql()).bind(database.schema()).fetch_all(database.pool()).await?;
    let columns = rows.iter().map(|row| {
        let name = ColumnName { table: row.try_get("table_name")?, column: row.try_get("column_name")? };
        Ok(GeneratedColumn { name, made_from: row.try_get("made_from")? })
    });
    columns.collect()
}

/// What this user lacks to keep the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingForLedger {
    /// What an administrator has to run.
    pub statements: String,
    /// Whether `copy` and `finalize` can do without it, as only `rollback` needs it.
    pub only_way_back: bool,
}

/// What the user lacks on the ledger's schema; `None` if nothing is missing.
///
/// # Errors
/// If the database cannot be read.
pub async fn missing_for_ledger(database: &Database, ledger: &LedgerName) -> Result<Option<MissingForLedger>> {
    let held = SchemaPrivileges::of(database, ledger.as_str()).await?;
    let has_all = |needed: &[&str]| needed.iter().all(|privilege| held.has(privilege));
    if has_all(&TO_RECORD) && held.has(TO_UNDO) {
        return Ok(None);
    }
    let statements = create_statements(database, ledger);
    Ok(Some(MissingForLedger { statements, only_way_back: has_all(&TO_RECORD) }))
}
