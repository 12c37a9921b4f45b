//! Where a migration stands, as its ledger tells it to who only reads.

use anyhow::{Context, Result};
use serde::Serialize;
use sqlx::Row;
use sqlx::mysql::MySqlRow;

use super::lock::{Activity, SILENT_SECONDS, lock_name};
use super::session::{Database, error_number};
use super::sql::statement;
use super::view::LedgerView;

/// What the ledger says of the last writing run of a migration.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct RunRecord {
    /// Its number.
    pub id: u64,
    /// Its command.
    pub name: String,
    /// Where it runs or ran.
    pub host: String,
    /// Its process.
    pub pid: u32,
    /// When it began (UTC, RFC 3339).
    pub started_at: String,
    /// How many seconds ago its heart beat last.
    pub silent_seconds: i64,
    /// When it signed off (UTC, RFC 3339), if it did.
    pub finished_at: Option<String>,
    /// With which exit code.
    pub exit_code: Option<u8>,
    /// What it was at when its heart beat last, while it runs.
    pub phase: Option<Activity>,
    /// Whether it holds the run lock now.
    #[serde(skip)]
    pub running: bool,
}

/// When rows were moved last.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LastCutover {
    /// The run that moved them.
    pub run: u64,
    /// When (UTC, RFC 3339).
    pub at: String,
}

impl RunRecord {
    /// Whether it holds the lock, and its heart has not beaten for a while.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        self.running && self.silent_seconds > SILENT_SECONDS
    }
}

impl LedgerView {
    /// The last writing run; none, if there was none yet.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub async fn last_run(&self, database: &Database) -> Result<Option<RunRecord>> {
        let statement = self.statement(statement!("status_run.sql"));
        let query = sqlx::query(statement.sql()).bind(lock_name(database.schema())).bind(self.migration());
        let row = query.fetch_optional(self.pool()).await.context("failed to read the runs in the ledger")?;
        row.as_ref().map(run).transpose()
    }

    /// How many objects are in each state, by its name; `None` if they are too many to be counted in 5 seconds.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub async fn objects_by_state(&self) -> Result<Option<Vec<(String, u64)>>> {
        let statement = self.statement(statement!("status_objects.sql"));
        let counted = sqlx::query_as(statement.sql()).bind(self.migration()).fetch_all(self.pool()).await;
        in_time(counted).context("failed to read objects from the ledger")
    }

    /// How many rows have moved and were not rolled back; `None` if they are too many to be counted in 5 seconds.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub async fn rows_moved(&self) -> Result<Option<u64>> {
        let statement = self.statement(statement!("status_rows.sql"));
        let counted = sqlx::query_scalar(statement.sql()).bind(self.migration()).fetch_one(self.pool()).await;
        in_time(counted).context("failed to read the journal")
    }

    /// When rows were moved last; none, if none was.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub async fn last_cutover(&self) -> Result<Option<LastCutover>> {
        let statement = self.statement(statement!("status_change.sql"));
        let last: Option<(u64, String)> = sqlx::query_as(statement.sql())
            .bind(self.migration())
            .fetch_optional(self.pool())
            .await
            .context("failed to read the journal")?;
        Ok(last.map(|(run, at)| LastCutover { run, at }))
    }
}

fn run(row: &MySqlRow) -> Result<RunRecord> {
    let running = row.try_get::<i64, _>("running")? != 0;
    Ok(RunRecord {
        id: row.try_get("id")?,
        name: row.try_get("command")?,
        host: row.try_get("host")?,
        pid: row.try_get("pid")?,
        started_at: row.try_get("started_at")?,
        silent_seconds: row.try_get("silent_seconds")?,
        finished_at: row.try_get("finished_at")?,
        exit_code: row.try_get("exit_code")?,
        phase: if running { phase(row)? } else { None },
        running,
    })
}

/// None before the first beat, and between two phases.
fn phase(row: &MySqlRow) -> Result<Option<Activity>> {
    let name: Option<String> = row.try_get("phase")?;
    let Some(name) = name.filter(|name| !name.is_empty()) else { return Ok(None) };
    Ok(Some(Activity {
        name,
        done: row.try_get("phase_done")?,
        total: row.try_get("phase_total")?,
        unit: row.try_get("phase_unit")?,
        seconds: row.try_get("phase_seconds")?,
    }))
}

/// What was counted, unless the server ended the statement for its time (error 1969, `ER_STATEMENT_TIMEOUT`).
pub(super) fn in_time<T>(counted: sqlx::Result<T>) -> sqlx::Result<Option<T>> {
    match counted {
        Ok(counted) => Ok(Some(counted)),
        Err(error) if error_number(&error) == Some(1969) => Ok(None),
        Err(error) => Err(error),
    }
}
