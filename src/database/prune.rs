//! What of the ledger is history: counted, and forgotten bit by bit.

use std::time::Duration;

use anyhow::{Context, Result};
use serde::Serialize;

use super::ledger::Ledger;
use super::lock::RunLock;
use super::sql::statement;

/// What old runs have left. The lines of the runs themselves, what is known of objects that still exist, and the decisions
/// of people stay: they are few, or needed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Prunable {
    /// Lines of plans, and of the URLs in them, which the next plan writes anew.
    pub paths: u64,
    /// Objects whose sources finalize has deleted: that a late legacy row named one of them can be proved no more.
    pub objects: u64,
    /// Lines of the journal: their rows cannot be rolled back any more.
    pub row_changes: u64,
}

/// The last run whose traces may go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Through {
    /// Its number; 0 if there is none.
    pub run: u64,
    /// When it began (UTC, RFC 3339).
    pub at: String,
}

/// Which lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lines {
    /// Of plans.
    Plans,
    /// Of URLs that were planned.
    Urls,
    /// Of deleted objects.
    Objects,
    /// Of the journal.
    RowChanges,
}

impl Ledger {
    /// The last run that began longer ago than `age`, before those that the next copy begins with.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub async fn prunable_through(&self, age: Duration) -> Result<Through> {
        let needed = self.runs_cut_off().await?.iter().map(|cut_off| cut_off.run).min().unwrap_or(self.run());
        let query = sqlx::query_as(self.statement(statement!("prune_through.sql")).sql());
        let query = query.bind(self.migration()).bind(age.as_secs()).bind(needed);
        let (run, at) = query.fetch_one(self.pool()).await.context("failed to read the runs in the ledger")?;
        Ok(Through { run, at })
    }

    /// How much the runs through this one have left.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub async fn prunable(&self, through: &Through) -> Result<Prunable> {
        let statement = self.statement(statement!("prune_count.sql")).sql();
        let mut query = sqlx::query_as(statement);
        for _ in 0..4 {
            query = query.bind(self.migration()).bind(through.run);
        }
        let (paths, objects, row_changes) = query.fetch_one(self.pool()).await.context("failed to read the ledger")?;
        Ok(Prunable { paths, objects, row_changes })
    }

    /// Forgets some of the plans that were made before that of `pass`, which nobody reads any more; gives how many lines, 0 at
    /// the end.
    ///
    /// # Errors
    /// If the ledger cannot be written, or the lock is lost.
    pub async fn forget_plans(&self, lock: &RunLock, pass: u32) -> Result<u64> {
        for (from, through, before) in [(0, self.run().saturating_sub(1), u32::MAX), (self.run(), self.run(), pass)] {
            let statement = self.statement(statement!("plan_forget.sql"));
            let query = sqlx::query(statement.sql()).bind(self.migration()).bind(from).bind(through).bind(before);
            let forgotten = query.execute(&mut *lock.connection().await?).await;
            match forgotten.context("failed to write to the ledger")?.rows_affected() {
                0 => {}
                lines => return Ok(lines),
            }
        }
        Ok(0)
    }

    /// Forgets some of these lines; gives how many, 0 at the end.
    ///
    /// # Errors
    /// If the ledger cannot be written, or the lock is lost.
    pub async fn prune(&self, lock: &RunLock, lines: Lines, through: &Through) -> Result<u64> {
        let statement = match lines {
            Lines::Plans => statement!("prune_plans.sql"),
            Lines::Urls => statement!("prune_urls.sql"),
            Lines::Objects => statement!("prune_objects.sql"),
            Lines::RowChanges => return self.prune_journal(lock, through).await,
        };
        let query = sqlx::query(self.statement(statement).sql()).bind(self.migration()).bind(through.run);
        let pruned = query.execute(&mut *lock.connection().await?).await;
        Ok(pruned.context("failed to write to the ledger")?.rows_affected())
    }

    /// Forgets some lines of the journal's first part, and the part once they are gone.
    async fn prune_journal(&self, lock: &RunLock, through: &Through) -> Result<u64> {
        let mut connection = lock.connection().await?;
        loop {
            let first = sqlx::query_as(self.statement(statement!("prune_part.sql")).sql());
            let first = first.bind(self.migration()).bind(through.run).fetch_optional(&mut *connection).await;
            let first: Option<(u64, u32, u64, u64)> = first.context("failed to read the ledger")?;
            let Some((run, part, from, to)) = first else { return Ok(0) };
            let lines = sqlx::query(self.statement(statement!("prune_row_changes.sql")).sql());
            let pruned = lines.bind(from).bind(to).bind(run).bind(part).execute(&mut *connection).await;
            let pruned = pruned.context("failed to write to the ledger")?.rows_affected();
            if pruned > 0 {
                return Ok(pruned);
            }
            let empty = sqlx::query(self.statement(statement!("prune_part_drop.sql")).sql()).bind(run).bind(part);
            empty.execute(&mut *connection).await.context("failed to write to the ledger")?;
        }
    }
}
