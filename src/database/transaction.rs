//! A transaction under fire: all of it happens or nothing, and in the end it is known which.
//!
//! After anything that goes wrong in it the connection is given up, and the next attempt has a fresh one: error 1205 rolls
//! back its statement only, so that a COMMIT after it would keep a half, and of a lost connection nothing is known at all.

use std::time::Duration;

use anyhow::{Context, Result};
use sqlx::MySqlConnection;

use super::lock::{LockLost, RunLock};
use super::session::{error_number, is_unreachable};

/// How often a transaction is tried.
const ATTEMPTS: u32 = 5;
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// For so long a ROLLBACK may take before the connection is given up; the server then rolls back by itself.
const ROLLBACK: Duration = Duration::from_secs(60);

/// What is done between START TRANSACTION and COMMIT.
pub(super) trait Transaction {
    /// All its statements; gives how many rows moved.
    async fn statements(&mut self, connection: &mut MySqlConnection) -> Result<u64>;

    /// What has become of it, looked up with locks on a fresh connection, as the answer to COMMIT was lost.
    ///
    /// # Errors
    /// If it is neither all there nor all gone.
    async fn outcome(&mut self, connection: &mut MySqlConnection, rows: u64) -> Result<Outcome>;

    /// Whether an error that the server answered may not come again.
    fn is_transient(&self, number: u16) -> bool;
}

/// How a transaction ended whose COMMIT was not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Committed,
    RolledBack,
}

/// How one attempt ended.
#[derive(Debug)]
pub(super) enum Attempt {
    /// The rows have moved.
    Committed {
        rows: u64,
        /// Whether the lock is on a fresh connection now, where nothing is left of the session before.
        fresh: bool,
    },
    /// Nothing has changed, and the lock is on a fresh connection: try again.
    RolledBack(anyhow::Error),
}

/// The rows that an UPDATE matched are not those that the journal holds: a writer came between.
#[derive(Debug, thiserror::Error)]
#[error("{matched} rows matched where {expected} were journaled")]
pub(super) struct LostRace {
    pub(super) matched: u64,
    pub(super) expected: u64,
}

/// Lock wait time-out, deadlock, snapshot conflict: error numbers after which another attempt may succeed.
pub(super) fn is_passing(number: u16) -> bool {
    matches!(number, 1205 | 1213 | 1020)
}

/// A unique key, a CHECK, a trigger or a foreign key that refuses a row (MariaDB error codes 1062, 4025, 1644, 1451 and
/// 1452).
pub(super) fn is_refusal(error: &anyhow::Error) -> bool {
    matches!(number_of(error), Some(1062 | 4025 | 1644 | 1451 | 1452))
}

/// Where an attempt stopped.
enum Stop {
    /// COMMIT was not sent: nothing can have changed.
    Before(anyhow::Error),
    /// COMMIT was sent for so many rows.
    AtCommit(u64, anyhow::Error),
}

/// One attempt.
///
/// # Errors
/// If another attempt would fail as well, or cannot be made; the text says what is known of the rows.
pub(super) async fn attempt(lock: &RunLock, work: &mut impl Transaction) -> Result<Attempt> {
    match once(lock, work).await {
        Ok(rows) => Ok(Attempt::Committed { rows, fresh: false }),
        Err(Stop::Before(error)) if may_pass(&error, work) => {
            let renewed = lock.renew().await;
            renewed.with_context(|| format!("the transaction was rolled back ({error:#}); no row has changed"))?;
            Ok(Attempt::RolledBack(error))
        }
        Err(Stop::Before(error)) => Err(error.context("the transaction was rolled back; no row has changed")),
        Err(Stop::AtCommit(rows, error)) => {
            tracing::warn!("no answer to COMMIT, looking on a fresh connection whether it was done: {error:#}");
            settle(lock, work, rows).await.with_context(|| {
                format!("the answer to COMMIT was lost ({error:#}): the rows have moved all together, or none has")
            })
        }
    }
}

async fn once(lock: &RunLock, work: &mut impl Transaction) -> Result<u64, Stop> {
    let mut connection = lock.connection().await.map_err(Stop::Before)?;
    let inside = async {
        sqlx::query("START TRANSACTION").execute(&mut *connection).await?;
        work.statements(&mut connection).await
    };
    let rows = match unless_gone(lock, inside).await {
        Ok(rows) => rows,
        Err(error) => {
            // A connection on which that fails is lost, and its session rolls back by itself.
            if !is_lost(&error) {
                let rolled_back = sqlx::query("ROLLBACK").execute(&mut *connection);
                drop(tokio::time::timeout(ROLLBACK, rolled_back).await);
            }
            return Err(Stop::Before(error));
        }
    };
    let commit = async { Ok(sqlx::query("COMMIT").execute(&mut *connection).await?) };
    unless_gone(lock, commit).await.map_err(|error| Stop::AtCommit(rows, error))?;
    Ok(rows)
}

/// An answer that will never come is not waited for.
async fn unless_gone<T>(lock: &RunLock, work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::select! {
        biased;
        result = work => result,
        () = lock.gone() => Err(LockLost.into()),
    }
}

async fn settle(lock: &RunLock, work: &mut impl Transaction, rows: u64) -> Result<Attempt> {
    let mut looks = 1;
    loop {
        lock.renew().await?;
        match unless_gone(lock, looked_up(lock, work, rows)).await {
            Ok(Outcome::Committed) => return Ok(Attempt::Committed { rows, fresh: true }),
            Ok(Outcome::RolledBack) => return Ok(Attempt::RolledBack(anyhow::anyhow!("COMMIT was not carried out"))),
            Err(error) if looks < ATTEMPTS && may_pass(&error, work) => looks += 1,
            Err(error) => return Err(error),
        }
    }
}

async fn looked_up(lock: &RunLock, work: &mut impl Transaction, rows: u64) -> Result<Outcome> {
    let mut connection = lock.connection().await?;
    sqlx::query("START TRANSACTION").execute(&mut *connection).await?;
    let outcome = work.outcome(&mut connection, rows).await;
    sqlx::query("ROLLBACK").execute(&mut *connection).await?;
    outcome
}

fn may_pass(error: &anyhow::Error, work: &impl Transaction) -> bool {
    is_lost(error) || error.is::<LostRace>() || number_of(error).is_some_and(|number| work.is_transient(number))
}

fn is_lost(error: &anyhow::Error) -> bool {
    is_unreachable(error) || error.is::<LockLost>()
}

fn number_of(error: &anyhow::Error) -> Option<u16> {
    error.downcast_ref::<sqlx::Error>().and_then(error_number)
}

/// Counts attempts that were rolled back.
#[derive(Debug, Default)]
pub struct Tries {
    made: u32,
}

impl Tries {
    /// Pauses before the next attempt.
    ///
    /// # Errors
    /// With `error`, if that was the last one.
    pub async fn again(&mut self, error: anyhow::Error) -> Result<()> {
        self.made += 1;
        if self.made == ATTEMPTS {
            return Err(error.context(format!("the transaction was rolled back {ATTEMPTS} times; no row has changed")));
        }
        tracing::warn!("the transaction was rolled back and begins anew on a fresh connection: {error:#}");
        tokio::time::sleep(FIRST_PAUSE * 2_u32.pow(self.made)).await;
        Ok(())
    }
}
