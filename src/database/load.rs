//! How busy the servers are: what a run may wait for.

use anyhow::{Context, Result};
use sqlx::Row;

use super::session::{Database, grant_or};
use super::sql::statement;

/// How far a replica is behind; the greater, the worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lag {
    /// So many seconds, by its own account.
    Seconds(u64),
    /// It does not replicate just now.
    Broken,
}

/// How far a replica is behind its primary; of several primaries, the worst (MariaDB: "SHOW REPLICA STATUS",
/// `Seconds_Behind_Master`).
///
/// # Errors
/// [`crate::failure::Failure::Usage`] with the GRANT to run, if the user may not ask; if the server cannot be asked, or
/// replicates from nobody.
pub async fn replica_lag(replica: &Database) -> Result<Lag> {
    let rows = sqlx::query(statement!("replica_lag.sql").sql()).fetch_all(replica.pool()).await;
    let rows = grant_or(rows, "ask how far the replica is behind", &replica.grant("REPLICA MONITOR", "*.*"))?;
    let lags = rows.iter().map(|row| {
        let behind: Option<i64> = row.try_get_unchecked("Seconds_Behind_Master")?;
        Ok(behind.and_then(|seconds| u64::try_from(seconds).ok()).map_or(Lag::Broken, Lag::Seconds))
    });
    let lags = lags.collect::<sqlx::Result<Vec<Lag>>>()?;
    lags.into_iter().max().context("the server is no replica")
}

/// How many threads of the server are at work just now, the one that asks included (MariaDB: "Server Status Variables",
/// `Threads_running`).
///
/// # Errors
/// If the server cannot be asked.
pub async fn threads_running(database: &Database) -> Result<u64> {
    let row = sqlx::query(statement!("threads_running.sql").sql()).fetch_one(database.pool()).await?;
    Ok(row.try_get::<String, _>("Value")?.parse()?)
}
