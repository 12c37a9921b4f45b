//! What `doctor` asks of the server: facts, by reading alone. No lock is taken and nothing is written.

use anyhow::{Context, Result};
use sqlx::Row;

use super::grants::{LEDGER_PRIVILEGES, SchemaPrivileges};
use super::ledger::create_statements;
use super::ledger_name::LedgerName;
use super::session::{Database, is_denied};
use super::sql::statement;

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

/// What an administrator has to run so that this user can keep its ledger; `None` if nothing is missing.
///
/// # Errors
/// If the database cannot be read.
pub async fn missing_for_ledger(database: &Database, ledger: &LedgerName) -> Result<Option<String>> {
    let held = SchemaPrivileges::of(database, ledger.as_str()).await?;
    let missing = LEDGER_PRIVILEGES.iter().any(|needed| !held.has(needed));
    Ok(missing.then(|| create_statements(database, ledger)))
}
