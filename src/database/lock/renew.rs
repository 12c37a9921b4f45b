//! The lock on a fresh connection, after something went wrong on the one before.

use std::io::ErrorKind::TimedOut;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use sqlx::{AssertSqlSafe, Connection, Executor, MySqlConnection};
use tokio::time::timeout;

use super::{LockLost, RunLock, Standing, get_lock, holder, holder_of, session, this_host, unknown_holder};
use crate::database::server::check_server;
use crate::database::session::is_unreachable;
use crate::database::sql::statement;
use crate::failure::Failure;

/// For so long the old session is asked to roll back before it is killed.
const GOODBYE: Duration = Duration::from_secs(5);
/// For so long a server that does not answer is asked again: it may be restarting.
const RECONNECT: Duration = Duration::from_secs(60);
/// One try to connect.
const CONNECT: Duration = Duration::from_secs(10);
/// For so long the end of the old session is waited for: it may have much to roll back.
const LAST_BREATH: Duration = Duration::from_secs(600);
const PAUSE: Duration = Duration::from_millis(250);

impl RunLock {
    /// Takes the lock again on a fresh connection. When this returns, the session before is gone: its transaction is
    /// committed or rolled back for good; and no other run has begun meanwhile, so that what this run has proved still counts.
    ///
    /// # Errors
    /// [`Failure::Locked`] if another run was quicker; if one was there meanwhile, or the server stays away.
    pub(crate) async fn renew(&self) -> Result<()> {
        let mut seat = self.connection.lock().await;
        let gone = self.standing.borrow().gone;
        if let Some(old) = seat.take().filter(|_| !gone) {
            drop(timeout(GOODBYE, end(old)).await);
        }
        let deadline = Instant::now() + RECONNECT;
        loop {
            let error = match self.taken_anew().await {
                Ok(connection) => {
                    *seat = Some(connection);
                    return Ok(());
                }
                Err(error) => error,
            };
            if !is_unreachable(&error) {
                return Err(error);
            }
            if Instant::now() > deadline {
                return Err(error.context(LockLost));
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Holds the lock for a run whose holder is gone: what that run has proved still counts, as no other has begun meanwhile.
    ///
    /// # Errors
    /// If another run has begun, or that run is over.
    pub(crate) async fn adopt(&self, run: u64) -> Result<()> {
        let mut connection = self.connection().await?;
        self.refuse_later(&mut connection, run).await?;
        let (host, pid) = (this_host(), std::process::id());
        let adopted = statement!("run_adopted.sql").with("ledger", &self.ledger.quoted());
        let adopted = sqlx::query(adopted.sql()).bind(self.connection_id()).bind(host).bind(pid).bind(run);
        if adopted.execute(&mut *connection).await?.rows_affected() != 1 {
            bail!("the run was over when its lock was taken; run the command again: it continues");
        }
        Ok(())
    }

    async fn taken_anew(&self) -> Result<MySqlConnection> {
        let connecting = timeout(CONNECT, session(&self.database)).await;
        let mut connection = connecting.map_err(|_| sqlx::Error::from(std::io::Error::from(TimedOut)))??;
        // It may be another server by now, one that refuses writes among others.
        check_server(&self.database).await?;
        self.outlive_old_session(&mut connection).await?;
        // The old session gives up both of its locks together, but not in one instant.
        if !get_lock(&mut connection, &self.name, Duration::from_secs(1)).await? {
            let holder = holder(&mut connection, &self.ledger, &self.name).await.unwrap_or_else(unknown_holder);
            return Err(Failure::Locked { holder }.into());
        }
        let connection_id = sqlx::query_scalar("SELECT CONNECTION_ID()").fetch_one(&mut connection).await?;
        self.no_run_since(&mut connection, connection_id).await?;
        self.standing.send_replace(Standing { connection_id, gone: false });
        Ok(connection)
    }

    async fn outlive_old_session(&self, connection: &mut MySqlConnection) -> Result<()> {
        let deadline = Instant::now() + LAST_BREATH;
        loop {
            let old: Option<u64> = sqlx::query_scalar("SELECT CAST(IS_USED_LOCK(?) AS UNSIGNED)")
                .bind(&self.own_name)
                .fetch_one(&mut *connection)
                .await?;
            if let Some(old) = old {
                // It may be gone by now, or the server may not let this user kill: then it is waited for.
                drop(connection.execute(AssertSqlSafe(format!("KILL {old}"))).await);
            }
            if get_lock(connection, &self.own_name, Duration::from_secs(5)).await? {
                return Ok(());
            }
            if Instant::now() > deadline {
                bail!("the session of the lost connection does not end; run the command again later: it continues");
            }
        }
    }

    /// The ledger names every writing run of the schema: none may be younger than this one. Gives the run its new
    /// connection, by which other runs name the holder.
    async fn no_run_since(&self, connection: &mut MySqlConnection, connection_id: u64) -> Result<()> {
        let Some(run) = self.run else { return Ok(()) };
        self.refuse_later(connection, run).await?;
        let moved = statement!("run_renewed.sql").with("ledger", &self.ledger.quoted());
        let moved = sqlx::query(moved.sql()).bind(connection_id).bind(run).execute(connection).await?;
        if moved.rows_affected() != 1 {
            bail!("the ledger was dropped meanwhile; run the command again: it continues");
        }
        Ok(())
    }

    async fn refuse_later(&self, connection: &mut MySqlConnection, run: u64) -> Result<()> {
        let since = statement!("runs_since.sql").with("ledger", &self.ledger.quoted());
        let other = sqlx::query(since.sql()).bind(run).bind(self.database.schema()).fetch_optional(&mut *connection);
        if let Some(other) = other.await.context("failed to read the runs in the ledger")? {
            let other = holder_of(&other).unwrap_or_else(unknown_holder);
            bail!(
                "another run began while the lock's connection was lost ({other}); run the command again: it continues"
            );
        }
        Ok(())
    }
}

async fn end(mut connection: MySqlConnection) -> sqlx::Result<()> {
    sqlx::query("ROLLBACK").execute(&mut connection).await?;
    connection.close().await
}
