//! Ranges: cut by the holder, taken by workers, one lease each.

use std::time::Duration;

use anyhow::{Context, Result};
use sqlx::{MySql, MySqlConnection, QueryBuilder, Row};

use super::{Crew, Task, Worker};
use crate::database::journal::KeyRange;
use crate::database::ledger::Ledger;
use crate::database::lock::RunLock;
use crate::database::right::MayWrite;
use crate::database::session::{error_number, is_unreachable};
use crate::database::sql::statement;
use crate::database::transaction::is_passing;
use crate::path::ObjectKey;

/// Sampled keys a range, so that ranges differ by about an eighth (the deviation of a sum of so many).
const SAMPLES: u64 = 64;
/// How often a statement is tried that met a deadlock with another worker, or a server that restarts.
const ATTEMPTS: u32 = 10;
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// How far a stage is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Its ranges.
    pub ranges: u64,
    /// Those that are done.
    pub done: u64,
}

impl Progress {
    /// Whether a range is left to do.
    #[must_use]
    pub fn is_open(self) -> bool {
        self.done < self.ranges
    }
}

/// What was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Objects copied or deleted.
    pub objects: u64,
    /// Bytes copied.
    pub bytes: u64,
    /// Sources that were not deleted, as they were written meanwhile.
    pub changed: u64,
    /// Objects that could not be copied or deleted, where the ledger of objects does not say so.
    pub failed: u64,
}

/// A range that this worker holds. It is evidence of nothing by itself: each write asks whether it still holds.
#[derive(Debug)]
#[must_use]
pub struct Lease {
    pub(super) crew: Crew,
    worker: u64,
    task: Task,
    nth: u32,
    claims: u32,
    range: KeyRange,
}

/// Another worker has taken the range.
#[derive(Debug, thiserror::Error)]
#[error(
    "this worker was silent for longer than its lease, and others have taken over what it was at; run the command again: it \
     joins them"
)]
pub struct LeaseLost;

impl Crew {
    /// Cuts the objects of a pass into ranges of about `objects` each; does nothing if that was done before.
    ///
    /// # Errors
    /// If the lock is lost, or the ledger cannot be written.
    pub async fn cut(&self, lock: &RunLock, ledger: &Ledger, pass: u32, objects: u64) -> Result<()> {
        // Of every so many keys one is taken; every so many of those end a range.
        let samples = objects.clamp(1, SAMPLES);
        let every = objects / samples;
        sqlx::query(self.statement(statement!("ranges_cut.sql")).sql())
            .bind(ledger.migration())
            .bind(self.run)
            .bind(pass)
            .bind(every)
            .bind(samples)
            .bind(samples)
            .bind(samples)
            .bind(self.run)
            .bind(pass)
            .execute(&mut *lock.connection().await?)
            .await
            .context("failed to cut the work into ranges")?;
        Ok(())
    }

    /// The same ranges again for a later stage of the pass.
    ///
    /// # Errors
    /// If the lock is lost, or the ledger cannot be written.
    pub async fn cut_again(&self, lock: &RunLock, task: Task) -> Result<()> {
        let again = sqlx::query(self.statement(statement!("ranges_again.sql")).sql());
        let again = again.bind(task.stage.word()).bind(self.run).bind(task.pass);
        again.execute(&mut *lock.connection().await?).await.context("failed to write to the ledger")?;
        Ok(())
    }

    /// How far a stage is.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub async fn progress(&self, task: Task) -> Result<Progress> {
        let progress = sqlx::query_as(self.statement(statement!("ranges_progress.sql")).sql());
        let progress = progress.bind(self.run).bind(task.pass).bind(task.stage.word()).fetch_one(&self.pool).await;
        let (ranges, done) = progress.context("failed to read the ranges in the ledger")?;
        Ok(Progress { ranges, done })
    }
}

impl Worker {
    /// Takes the next range of a stage that nobody is at; none if there is none just now.
    ///
    /// # Errors
    /// If the ledger cannot be written.
    pub async fn claim(&self, task: Task) -> Result<Option<Lease>> {
        let mut tries = Tries::default();
        loop {
            match self.claimed(task).await {
                Ok(lease) => return Ok(lease),
                Err(error) => tries.again(error).await?,
            }
        }
    }

    async fn claimed(&self, task: Task) -> Result<Option<Lease>> {
        let crew = &self.crew;
        let mut transaction = crew.pool.begin().await?;
        let open = sqlx::query(crew.statement(statement!("range_open.sql")).sql());
        let open =
            open.bind(crew.run).bind(task.pass).bind(task.stage.word()).fetch_optional(&mut *transaction).await?;
        let Some(open) = open else { return Ok(None) };
        let (nth, claims): (u32, u32) = (open.try_get("nth")?, open.try_get("claims")?);
        let key = |bytes: Vec<u8>| -> Result<ObjectKey> { Ok(ObjectKey::new(String::from_utf8(bytes)?)?) };
        let after: Vec<u8> = open.try_get("after_key")?;
        let through: Option<Vec<u8>> = open.try_get("through_key")?;
        let after = if after.is_empty() { None } else { Some(key(after)?) };
        let range = KeyRange { after, through: through.map(key).transpose()? };
        let claims = claims + 1;
        sqlx::query(crew.statement(statement!("range_claim.sql")).sql())
            .bind(self.id)
            .bind(claims)
            .bind(crew.run)
            .bind(task.pass)
            .bind(task.stage.word())
            .bind(nth)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(Some(Lease { crew: crew.clone(), worker: self.id, task, nth, claims, range }))
    }
}

impl Lease {
    /// The keys that it is about.
    #[must_use]
    pub fn range(&self) -> &KeyRange {
        &self.range
    }

    /// The number of the range in its stage, from 1.
    #[must_use]
    pub fn nth(&self) -> u32 {
        self.nth
    }

    /// Whether the range was taken before, by a worker that is gone.
    #[must_use]
    pub fn is_taken_over(&self) -> bool {
        self.claims > 1
    }

    /// Gives the range back as done.
    ///
    /// # Errors
    /// [`LeaseLost`]; if the ledger cannot be written.
    pub async fn done(self) -> Result<()> {
        self.note(Tally::default(), true).await
    }

    async fn note(&self, tally: Tally, done: bool) -> Result<()> {
        let sql = self.crew.statement(statement!("range_tally.sql"));
        let Tally { objects, bytes, changed, failed } = tally;
        let noted = sqlx::query(sql.sql()).bind(objects).bind(bytes).bind(changed).bind(failed).bind(done);
        let noted = self.bound(noted).execute(&self.crew.pool).await.context("failed to write to the ledger")?;
        if noted.rows_affected() == 1 { Ok(()) } else { Err(LeaseLost.into()) }
    }

    async fn written(&self, statement: &(impl Fn() -> QueryBuilder<MySql> + Sync)) -> Result<()> {
        let mut transaction = self.crew.pool.begin().await?;
        self.held(&mut transaction).await?;
        statement().build().execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Makes sure that it holds, until the transaction ends.
    async fn held(&self, transaction: &mut MySqlConnection) -> Result<()> {
        let sql = self.crew.statement(statement!("range_held.sql"));
        let held = self.bound(sqlx::query(sql.sql())).fetch_optional(transaction).await?;
        held.map(drop).ok_or_else(|| LeaseLost.into())
    }

    fn bound<'q>(&self, query: Query<'q>) -> Query<'q> {
        let Task { stage, pass } = self.task;
        query.bind(self.crew.run).bind(pass).bind(stage.word()).bind(self.nth).bind(self.worker).bind(self.claims)
    }
}

type Query<'q> = sqlx::query::Query<'q, MySql, sqlx::mysql::MySqlArguments>;

impl MayWrite for Lease {
    async fn write(&self, statement: impl Fn() -> QueryBuilder<MySql> + Send + Sync) -> Result<()> {
        let mut tries = Tries::default();
        loop {
            match self.written(&statement).await {
                Ok(()) => return Ok(()),
                Err(error) => tries.again(error).await.context("failed to write to the ledger")?,
            }
        }
    }

    async fn tally(&self, done: Tally) -> Result<()> {
        self.note(done, false).await
    }
}

/// Counts what was tried in vain.
#[derive(Default)]
struct Tries(u32);

impl Tries {
    /// Pauses, if another try may succeed.
    async fn again(&mut self, error: anyhow::Error) -> Result<()> {
        let number = error.downcast_ref::<sqlx::Error>().and_then(error_number);
        let may_pass = is_unreachable(&error) || number.is_some_and(is_passing);
        self.0 += 1;
        if !may_pass || self.0 == ATTEMPTS {
            return Err(error);
        }
        tokio::time::sleep(FIRST_PAUSE * 2_u32.pow(self.0)).await;
        Ok(())
    }
}

/// How many objects a range is to have: a 64th of the work, so that no worker waits long for the last one; enough for a few
/// windows, and few enough that little is done twice when a worker dies.
#[must_use]
pub fn range_objects(work: u64) -> u64 {
    (work / RANGES).clamp(OBJECTS_LEAST, OBJECTS_MOST)
}

const RANGES: u64 = 64;
const OBJECTS_LEAST: u64 = 1_000;
const OBJECTS_MOST: u64 = 50_000;
