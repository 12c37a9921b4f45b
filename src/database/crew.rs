//! The crew: a run that is shared among workers, on any machines, with the database as all that they share.
//!
//! One worker holds the run lock. It does what cannot be shared, and says what the others are to do (the stage). Work is cut
//! into ranges of source keys. A worker takes a range by a lease in database time, which its heart-beat moves on; what it
//! learns is written in one transaction with a look after the range, so that a worker which has lost it writes nothing. If
//! the holder dies in a stage that is shared, another worker takes lock and run over.

mod ranges;
mod sources;
mod worker;

use std::time::Duration;

use anyhow::{Context, Result, bail};
use sqlx::Row;
use sqlx::mysql::MySqlPool;

use super::ledger::Ledger;
use super::ledger_name::LedgerName;
use super::lock::{RunLock, lock_name, this_host};
use super::session::Database;
use super::sql::{Statement, statement};
use super::view::LedgerView;
use crate::config::Config;

pub use ranges::{Lease, LeaseLost, Progress, Tally, range_objects};
pub use sources::{SharedSource, Waiting};
pub use worker::{Worker, WorkerRecord};

/// What the workers of a run are to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Nothing: the holder does what cannot be shared.
    Alone,
    /// Copy and check what the pass has planned.
    Copy,
    /// Look at both sides once more, before the rows move.
    Look,
    /// Look at the sources again, after COMMIT.
    LookAgain,
    /// Copy and check orphans.
    Orphans,
    /// Delete sources.
    Delete,
}

const STAGES: [(Stage, &str); 6] = [
    (Stage::Alone, "alone"),
    (Stage::Copy, "copy"),
    (Stage::Look, "look"),
    (Stage::LookAgain, "look_again"),
    (Stage::Orphans, "orphans"),
    (Stage::Delete, "delete"),
];

impl Stage {
    /// Whether it is one of `copy`, with which another holder can go on: what finalize has proved dies with its holder.
    #[must_use]
    pub fn is_of_copy(self) -> bool {
        match self {
            Self::Copy | Self::Look | Self::LookAgain => true,
            Self::Alone | Self::Orphans | Self::Delete => false,
        }
    }

    /// The word in the ledger.
    #[must_use]
    pub fn word(self) -> &'static str {
        STAGES.iter().find(|(stage, _)| *stage == self).map_or("alone", |(_, word)| word)
    }

    fn from_word(word: &str) -> Result<Self> {
        let known = STAGES.iter().find(|(_, known)| *known == word).map(|(stage, _)| *stage);
        known.with_context(|| format!("the ledger holds the unknown stage {word}"))
    }
}

/// A stage of a pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Task {
    /// What is to be done.
    pub stage: Stage,
    /// The number of the pass in its run, from 1.
    pub pass: u32,
}

/// Where a shared run stands.
#[derive(Clone, Debug)]
pub struct CrewState {
    /// What the workers are to do.
    pub task: Task,
    /// Rows that the passes which are done have moved.
    pub rows_moved: u64,
    /// How the run ended, if it is over.
    pub exit_code: Option<u8>,
    /// What it came to, as JSON, if that was left for the others.
    pub summary: Option<String>,
    /// Whether its holder was heard of within a lease, or still has the lock.
    pub holder_lives: bool,
    /// Who holds it, for a person.
    pub holder: String,
}

/// A run that is shared.
#[derive(Clone, Debug)]
pub struct Crew {
    pool: MySqlPool,
    ledger: LedgerName,
    /// The name of the run lock.
    lock: String,
    run: u64,
    lease: Duration,
}

/// A shared run that can be joined.
#[derive(Clone, Debug)]
pub struct Found {
    /// The run.
    pub crew: Crew,
    /// Its command.
    pub command: String,
    /// The settings that all its workers have to agree on.
    pub terms: String,
}

impl Crew {
    /// Shares the run of `ledger`, which holds the lock, under these terms.
    ///
    /// # Errors
    /// If the ledger cannot be written.
    pub async fn begin(database: &Database, ledger: &Ledger, terms: &str, lease: Duration) -> Result<Self> {
        let lock = lock_name(database.schema());
        let crew = Self { pool: ledger.pool().clone(), ledger: ledger.name().clone(), lock, run: ledger.run(), lease };
        let begun = sqlx::query(crew.statement(statement!("share_begin.sql")).sql());
        let begun = begun.bind(crew.run).bind(ledger.migration()).bind(terms).execute(&crew.pool).await;
        begun.context("failed to write the shared run to the ledger")?;
        Ok(crew)
    }

    /// The shared run of this migration that is not over; none where another run of the schema has begun since.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub async fn find(database: &Database, config: &Config, lease: Duration) -> Result<Option<Found>> {
        let Some(view) = LedgerView::read(database, config).await? else { return Ok(None) };
        let found = sqlx::query(view.statement(statement!("share_found.sql")).sql());
        let found = found.bind(view.migration()).bind(database.schema()).fetch_optional(view.pool()).await;
        let row = match found {
            // A ledger of an older version, which no run has opened since.
            Err(error) if super::session::error_number(&error) == Some(1146) => None,
            found => found.context("failed to read the shared runs in the ledger")?,
        };
        row.map(|row| {
            let (pool, ledger) = (database.pool().clone(), LedgerName::new(&config.ledger_schema));
            let lock = lock_name(database.schema());
            let crew = Self { pool, ledger, lock, run: row.try_get("run")?, lease };
            Ok(Found { crew, command: row.try_get("command")?, terms: row.try_get("terms")? })
        })
        .transpose()
    }

    /// The number of the run.
    #[must_use]
    pub fn run(&self) -> u64 {
        self.run
    }

    /// For how long a worker may be silent.
    #[must_use]
    pub fn lease(&self) -> Duration {
        self.lease
    }

    /// Where the run stands.
    ///
    /// # Errors
    /// If the ledger cannot be read, or was dropped.
    pub async fn state(&self) -> Result<CrewState> {
        let row = sqlx::query(self.statement(statement!("share_state.sql")).sql())
            .bind(self.lease.as_secs())
            .bind(&self.lock)
            .bind(self.run)
            .fetch_optional(&self.pool)
            .await
            .context("failed to read the shared run in the ledger")?
            .context("the ledger was dropped meanwhile; run the command again: it continues")?;
        let (host, pid): (String, u32) = (row.try_get("host")?, row.try_get("pid")?);
        Ok(CrewState {
            task: Task { stage: Stage::from_word(row.try_get("stage")?)?, pass: row.try_get("pass")? },
            rows_moved: row.try_get("rows_moved")?,
            exit_code: row.try_get("exit_code")?,
            summary: row.try_get("summary")?,
            holder_lives: row.try_get::<i64, _>("holder_lives")? != 0,
            holder: format!("process {pid} on {host}"),
        })
    }

    /// Says what the workers are to do from now on. Only the holder may.
    ///
    /// # Errors
    /// If the lock is lost, another worker is the holder by now, or the ledger cannot be written.
    pub async fn set(&self, lock: &RunLock, holder: &Worker, task: Task, rows_moved: u64) -> Result<()> {
        let set = sqlx::query(self.statement(statement!("share_stage.sql")).sql())
            .bind(task.stage.word())
            .bind(task.pass)
            .bind(rows_moved)
            .bind(self.run)
            .bind(holder.id())
            .execute(&mut *lock.connection().await?)
            .await
            .context("failed to write to the ledger")?;
        if set.rows_affected() != 1 {
            bail!("another worker holds the run by now; run the command again: it joins");
        }
        Ok(())
    }

    /// Names the worker that holds the run lock from now on.
    ///
    /// # Errors
    /// If the lock is lost, or the ledger cannot be written.
    pub async fn hold(&self, lock: &RunLock, holder: &Worker) -> Result<()> {
        let held = sqlx::query(self.statement(statement!("share_holder.sql")).sql()).bind(holder.id()).bind(self.run);
        held.execute(&mut *lock.connection().await?).await.context("failed to write to the ledger")?;
        Ok(())
    }

    /// Leaves what the run came to for the workers that do not hold it.
    ///
    /// # Errors
    /// If the lock is lost, or the ledger cannot be written.
    pub async fn end(&self, lock: &RunLock, holder: &Worker, summary: &str) -> Result<()> {
        let end = sqlx::query(self.statement(statement!("share_end.sql")).sql());
        let end = end.bind(summary).bind(self.run).bind(holder.id());
        end.execute(&mut *lock.connection().await?).await.context("failed to write to the ledger")?;
        Ok(())
    }

    /// What all workers have done in a stage; in all stages of copying, if it is the first of them.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub async fn tallied(&self, stage: Stage) -> Result<Tally> {
        let tallied = sqlx::query_as(self.statement(statement!("ranges_tallied.sql")).sql());
        let tallied = tallied.bind(self.run).bind(stage.word()).bind(stage == Stage::Copy).fetch_one(&self.pool).await;
        let (objects, bytes, changed, failed) = tallied.context("failed to read the ranges in the ledger")?;
        Ok(Tally { objects, bytes, changed, failed })
    }

    fn statement(&self, statement: Statement) -> Statement {
        statement.with("ledger", &self.ledger.quoted())
    }
}

/// The name by which the ledger knows this process.
fn this_process() -> (String, u32) {
    (this_host(), std::process::id())
}
