//! The run lock: one writing run on one schema, and the connection on which it writes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};
use sqlx::{Connection, MySqlConnection, Row};
use tokio::sync::{Mutex, MutexGuard};
use tokio::task::JoinHandle;

use super::ledger_name::LedgerName;
use super::server::check_server;
use super::session::Database;
use super::sql::statement;
use crate::failure::{Failure, Holder};

const HEARTBEAT: Duration = Duration::from_secs(5);
/// A holder that was silent for longer than this may be dead, so that waiting for its lock makes sense.
const SILENT_SECONDS: i64 = 15;

/// Proof that this run is the only writing one; every write to rows or to the ledger asks for it.
///
/// The lock is MariaDB's `GET_LOCK` on a dedicated connection: it ends with the connection, so that a dead process never
/// leaves it behind, and the cutover runs on that same connection, so that it cannot outlive the lock.
#[derive(Debug)]
pub struct RunLock {
    connection: Arc<Mutex<MySqlConnection>>,
    name: String,
    connection_id: u64,
    lost: Arc<AtomicBool>,
    heart: Option<JoinHandle<()>>,
}

impl RunLock {
    /// Takes the lock of the schema at once, or waits up to `wait` if its recorded holder seems dead.
    ///
    /// # Errors
    /// [`Failure::Locked`] with the holder; or why this server will not do.
    pub async fn take(database: &Database, ledger: &LedgerName, wait: Duration) -> Result<Self> {
        check_server(database).await?;
        let name = lock_name(database.schema());
        let mut connection = database.dedicated().await.context("failed to open the lock's connection")?;
        sqlx::query(statement!("lock_session.sql").sql()).execute(&mut connection).await?;
        if !get_lock(&mut connection, &name, Duration::ZERO).await? {
            let holder = holder(&mut connection, ledger, &name).await;
            let dead = holder.as_ref().is_some_and(seems_dead);
            if !(dead && get_lock(&mut connection, &name, wait).await?) {
                let holder = holder.unwrap_or_else(unknown_holder);
                return Err(Failure::Locked { holder }.into());
            }
        }
        let connection_id = sqlx::query_scalar("SELECT CONNECTION_ID()").fetch_one(&mut connection).await?;
        let connection = Arc::new(Mutex::new(connection));
        Ok(Self { connection, name, connection_id, lost: Arc::default(), heart: None })
    }

    /// Starts the heart-beat of `run`: the holder's row stays fresh, and the lock's connection never idles out.
    pub(crate) fn beat(&mut self, database: &Database, ledger: &LedgerName, run: u64) {
        let sql = statement!("heartbeat.sql").with("ledger", &ledger.quoted());
        let (pool, connection) = (database.pool().clone(), Arc::clone(&self.connection));
        let lost = Arc::clone(&self.lost);
        self.heart = Some(tokio::spawn(async move {
            loop {
                tokio::time::sleep(HEARTBEAT).await;
                // A beat that fails is made up for by the next one; what counts is the lock itself, checked below.
                drop(sqlx::query(sql.clone().sql()).bind(run).execute(&pool).await);
                if let Ok(mut connection) = connection.try_lock() {
                    lost.fetch_or(connection.ping().await.is_err(), Ordering::Relaxed);
                }
            }
        }));
    }

    /// The lock's own connection, after a check that it still holds the lock.
    ///
    /// # Errors
    /// If the connection or the lock is lost: another run may have begun, so that nothing may be written any more.
    pub(crate) async fn connection(&self) -> Result<MutexGuard<'_, MySqlConnection>> {
        let mut connection = self.connection.lock().await;
        if self.lost.load(Ordering::Relaxed) {
            bail!("the lock's connection was lost; run the command again: it continues");
        }
        let held: Option<bool> = sqlx::query_scalar("SELECT IS_USED_LOCK(?) = CONNECTION_ID()")
            .bind(&self.name)
            .fetch_one(&mut *connection)
            .await
            .context("the lock's connection was lost; run the command again: it continues")?;
        if held != Some(true) {
            bail!("the run lock was lost; run the command again: it continues");
        }
        Ok(connection)
    }

    /// Gives the lock back. Dropping it does so too, but only once MariaDB notices that the connection is gone, which may
    /// be too late for the next command of the same process.
    ///
    /// # Errors
    /// If the connection is lost; the lock is free then all the same.
    pub async fn release(self) -> Result<()> {
        let mut connection = self.connection.lock().await;
        sqlx::query("DO RELEASE_LOCK(?)").bind(&self.name).execute(&mut *connection).await?;
        Ok(())
    }

    /// MariaDB's id of the lock's connection.
    pub(crate) fn connection_id(&self) -> u64 {
        self.connection_id
    }
}

impl Drop for RunLock {
    fn drop(&mut self) {
        if let Some(heart) = &self.heart {
            heart.abort();
        }
    }
}

/// At most 64 characters (MariaDB: "GET_LOCK"), one per schema of the server.
fn lock_name(schema: &str) -> String {
    let digest = Sha256::digest(schema.as_bytes());
    let short: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("avatarMigrate:{short}")
}

async fn get_lock(connection: &mut MySqlConnection, name: &str, wait: Duration) -> Result<bool> {
    let taken: Option<i64> = sqlx::query_scalar("SELECT GET_LOCK(?, ?)")
        .bind(name)
        .bind(wait.as_secs_f64())
        .fetch_one(&mut *connection)
        .await
        .context("failed to take the run lock")?;
    taken.map(|taken| taken == 1).context("the server cannot take named locks (GET_LOCK answered NULL)")
}

/// Who holds the run lock of the schema now; `None` if nobody does.
///
/// # Errors
/// If the database cannot be read.
pub async fn lock_holder(database: &Database, ledger: &LedgerName) -> Result<Option<Holder>> {
    let name = lock_name(database.schema());
    let mut connection = database.pool().acquire().await?;
    let is_free: i64 =
        sqlx::query_scalar("SELECT IS_USED_LOCK(?) IS NULL").bind(&name).fetch_one(&mut *connection).await?;
    if is_free != 0 {
        return Ok(None);
    }
    Ok(Some(holder(&mut connection, ledger, &name).await.unwrap_or_else(unknown_holder)))
}

async fn holder(connection: &mut MySqlConnection, ledger: &LedgerName, name: &str) -> Option<Holder> {
    let sql = statement!("lock_holder.sql").with("ledger", &ledger.quoted());
    let row = sqlx::query(sql.sql()).bind(name).fetch_optional(connection).await.ok()??;
    Some(Holder {
        host: row.try_get("host").ok()?,
        pid: row.try_get("pid").ok()?,
        since: row.try_get("since").ok()?,
        silent_seconds: row.try_get("silent_seconds").ok()?,
    })
}

fn unknown_holder() -> Holder {
    Holder { host: "an unknown host".to_owned(), pid: 0, since: "an unknown time".to_owned(), silent_seconds: 0 }
}

fn seems_dead(holder: &Holder) -> bool {
    let here = holder.host == this_host();
    let gone = here && !std::path::Path::new(&format!("/proc/{}", holder.pid)).exists();
    gone || holder.silent_seconds > SILENT_SECONDS
}

/// The name of this host.
pub(crate) fn this_host() -> String {
    gethostname::gethostname().to_string_lossy().into_owned()
}
