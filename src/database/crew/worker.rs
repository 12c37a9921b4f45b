//! A worker: a member of a crew, alive for as long as its heart beats.

use std::time::Duration;

use anyhow::{Context, Result};
use serde::Serialize;
use sqlx::Row;
use sqlx::mysql::MySqlRow;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::{Crew, this_process};
use crate::database::session::error_number;
use crate::database::sql::statement;
use crate::database::view::LedgerView;

/// A beat that takes longer has failed; the next one makes up for it.
const PATIENCE: Duration = Duration::from_secs(10);
/// So many beats a lease, so that one that is lost loses nothing.
const BEATS: u32 = 3;

/// A member of a crew. It gives back what it holds when it leaves; if it cannot, its lease lapses.
#[derive(Debug)]
pub struct Worker {
    pub(super) crew: Crew,
    pub(super) id: u64,
    /// Set when another run has ended this one.
    dismissed: CancellationToken,
    heart: JoinHandle<()>,
}

impl Worker {
    /// Joins a crew.
    ///
    /// # Errors
    /// If the ledger cannot be written.
    pub async fn join(crew: &Crew) -> Result<Self> {
        let (host, pid) = this_process();
        let joined = sqlx::query(crew.statement(statement!("worker_join.sql")).sql());
        let joined = joined.bind(crew.run).bind(host).bind(pid).bind(crew.lease.as_secs()).execute(&crew.pool).await;
        let id = joined.context("failed to join the run in the ledger")?.last_insert_id();
        let dismissed = CancellationToken::new();
        let heart = tokio::spawn(beat(crew.clone(), id, dismissed.clone()));
        Ok(Self { crew: crew.clone(), id, dismissed, heart })
    }

    /// Its number in the ledger.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Set once another run has ended the one that this worker has joined: what it has under way may not be recorded.
    #[must_use]
    pub fn dismissed(&self) -> &CancellationToken {
        &self.dismissed
    }

    /// Whether others are at work on the run.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub async fn has_company(&self) -> Result<bool> {
        let others = sqlx::query_scalar(self.crew.statement(statement!("workers_alive.sql")).sql());
        let others: u64 = others.bind(self.crew.run).bind(self.id).fetch_one(&self.crew.pool).await?;
        Ok(others > 0)
    }

    /// Whether its run is at deleting, under the lock of its holder, and its own lease lasts.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub async fn may_delete(&self) -> Result<bool> {
        let holds = sqlx::query(self.crew.statement(statement!("share_holds.sql")).sql());
        let holds = holds.bind(&self.crew.lock).bind(self.id).bind(self.crew.run);
        let holds = holds.fetch_optional(&self.crew.pool).await;
        Ok(holds.context("failed to read the shared run in the ledger")?.is_some())
    }

    /// Leaves: what it holds is free at once.
    pub async fn leave(self) {
        self.heart.abort();
        let left = sqlx::query(self.crew.statement(statement!("worker_leave.sql")).sql());
        // Whoever cannot say so is taken for gone when its lease has lapsed.
        if let Err(error) = left.bind(self.id).execute(&self.crew.pool).await {
            tracing::debug!("could not sign off as worker {}: {error}", self.id);
        }
    }
}

/// What the ledger says of a worker.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct WorkerRecord {
    /// Its number.
    pub id: u64,
    /// Where it runs or ran.
    pub host: String,
    /// Its process.
    pub pid: u32,
    /// Whether it holds the run.
    pub holder: bool,
    /// When it joined (UTC, RFC 3339).
    pub joined_at: String,
    /// `alive`, `lapsed` (silent for longer than its lease) or `left`.
    pub state: String,
    /// How many ranges it has done.
    pub ranges: u64,
    /// How many objects it has copied or deleted.
    pub objects: u64,
}

impl LedgerView {
    /// The workers of a run; none if it is not shared.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub async fn workers(&self, run: u64) -> Result<Vec<WorkerRecord>> {
        let workers = sqlx::query(self.statement(statement!("share_workers.sql")).sql()).bind(run);
        let rows = match workers.fetch_all(self.pool()).await {
            // A ledger of an older version, which no run has opened since.
            Err(error) if error_number(&error) == Some(1146) => Vec::new(),
            rows => rows.context("failed to read the workers in the ledger")?,
        };
        rows.iter().map(record).collect()
    }
}

fn record(row: &MySqlRow) -> Result<WorkerRecord> {
    Ok(WorkerRecord {
        id: row.try_get("id")?,
        host: row.try_get("host")?,
        pid: row.try_get("pid")?,
        holder: row.try_get::<i64, _>("holder")? != 0,
        joined_at: row.try_get("joined_at")?,
        state: row.try_get("state")?,
        ranges: row.try_get("ranges")?,
        objects: row.try_get("objects")?,
    })
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.heart.abort();
    }
}

async fn beat(crew: Crew, id: u64, dismissed: CancellationToken) {
    let sql = crew.statement(statement!("worker_beat.sql"));
    loop {
        tokio::time::sleep(crew.lease / BEATS).await;
        let beat = sqlx::query(sql.clone().sql()).bind(crew.lease.as_secs()).bind(id).execute(&crew.pool);
        if let Ok(Ok(beat)) = timeout(PATIENCE, beat).await
            && beat.rows_affected() == 0
        {
            dismissed.cancel();
            return;
        }
    }
}
