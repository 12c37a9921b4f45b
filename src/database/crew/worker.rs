//! A worker: a member of a crew, alive for as long as its heart beats.

use std::time::Duration;

use anyhow::{Context, Result};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::{Crew, this_process};
use crate::database::sql::statement;

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
