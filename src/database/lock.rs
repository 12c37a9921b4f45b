//! The run lock: one writing run on one schema, and the connection on which it writes.

mod heart;
mod renew;

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};
use sqlx::mysql::MySqlRow;
use sqlx::{MySqlConnection, Row};
use tokio::sync::{MappedMutexGuard, Mutex, MutexGuard, watch};
use tokio::task::JoinHandle;

use super::ledger_name::LedgerName;
use super::server::check_server;
use super::session::Database;
use super::sql::statement;
use crate::failure::{Failure, Holder};

pub use heart::Activity;

/// A holder that was silent for longer than this may be dead, so that waiting for its lock makes sense.
pub(super) const SILENT_SECONDS: i64 = 15;

/// Proof that this run is the only writing one; every write to rows or to the ledger asks for it.
///
/// The lock is MariaDB's `GET_LOCK` on a dedicated connection: it ends with the connection, so that a dead process never
/// leaves it behind, and the cutover runs on that same connection, so that it cannot outlive the lock.
#[derive(Debug)]
pub struct RunLock {
    database: Database,
    ledger: LedgerName,
    name: String,
    /// A second lock that only this run can hold: whoever gets it knows that the session before is gone for good.
    own_name: String,
    /// `None` while no session holds the lock.
    connection: Arc<Mutex<Option<MySqlConnection>>>,
    standing: Arc<watch::Sender<Standing>>,
    run: Option<u64>,
    heart: Option<JoinHandle<()>>,
}

/// The session that holds the lock, and whether it was seen to be gone.
#[derive(Clone, Copy, Debug)]
struct Standing {
    connection_id: u64,
    gone: bool,
}

/// The session that held the lock is gone, and whatever it had not committed with it.
#[derive(Debug, thiserror::Error)]
#[error("the lock's connection was lost; run the command again: it continues")]
pub(super) struct LockLost;

impl RunLock {
    /// Takes the lock of the schema at once, or waits up to `wait` if its recorded holder seems dead.
    ///
    /// # Errors
    /// [`Failure::Locked`] with the holder; or why this server will not do.
    pub async fn take(database: &Database, ledger: &LedgerName, wait: Duration) -> Result<Self> {
        check_server(database).await?;
        let (name, own_name) = (lock_name(database.schema()), own_name());
        let mut connection = session(database).await.context("failed to open the lock's connection")?;
        if !get_lock(&mut connection, &name, Duration::ZERO).await? {
            let holder = holder(&mut connection, ledger, &name).await;
            let dead = holder.as_ref().is_some_and(seems_dead);
            if !(dead && get_lock(&mut connection, &name, wait).await?) {
                let holder = holder.unwrap_or_else(unknown_holder);
                return Err(Failure::Locked { holder }.into());
            }
        }
        get_lock(&mut connection, &own_name, Duration::ZERO).await?;
        let connection_id = sqlx::query_scalar("SELECT CONNECTION_ID()").fetch_one(&mut connection).await?;
        Ok(Self {
            database: database.clone(),
            ledger: ledger.clone(),
            name,
            own_name,
            connection: Arc::new(Mutex::new(Some(connection))),
            standing: Arc::new(watch::Sender::new(Standing { connection_id, gone: false })),
            run: None,
            heart: None,
        })
    }

    /// The lock's own connection, after a check that it still holds the lock.
    ///
    /// # Errors
    /// If the connection or the lock is lost: another run may have begun, so that nothing may be written any more.
    pub(crate) async fn connection(&self) -> Result<MappedMutexGuard<'_, MySqlConnection>> {
        let guard = self.connection.lock().await;
        if self.standing.borrow().gone {
            return Err(LockLost.into());
        }
        let mut connection = MutexGuard::try_map(guard, Option::as_mut).map_err(|_| LockLost)?;
        let held: Option<bool> = sqlx::query_scalar("SELECT IS_USED_LOCK(?) = CONNECTION_ID()")
            .bind(&self.name)
            .fetch_one(&mut *connection)
            .await
            .context(LockLost)?;
        if held != Some(true) {
            return Err(LockLost.into());
        }
        Ok(connection)
    }

    /// Returns once the lock's session is seen to be gone: an answer that is awaited from it will never come.
    pub(super) async fn gone(&self) {
        let mut standing = self.standing.subscribe();
        // The sender lives as long as this lock, so that the channel never closes.
        drop(standing.wait_for(|standing| standing.gone).await);
    }

    /// Gives the lock back. Dropping it does so too, but only once MariaDB notices that the connection is gone, which may
    /// be too late for the next command of the same process.
    pub async fn release(self) {
        if let Some(mut connection) = self.connection.lock().await.take() {
            let released = sqlx::query("DO RELEASE_LOCK(?)").bind(&self.name).execute(&mut connection).await;
            // All is done by now. Where the connection is lost, the lock is free all the same.
            released.map_or_else(|error| tracing::debug!("the lock's connection was lost: {error}"), |_| ());
        }
    }

    /// MariaDB's id of the lock's connection.
    pub(crate) fn connection_id(&self) -> u64 {
        self.standing.borrow().connection_id
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
pub(super) fn lock_name(schema: &str) -> String {
    let digest = Sha256::digest(schema.as_bytes());
    let short: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("avatarMigrate:{short}")
}

/// Known to nobody else.
fn own_name() -> String {
    use std::hash::{BuildHasher, RandomState};
    let random = || RandomState::new().hash_one(std::process::id());
    format!("avatarMigrate:{:016x}{:016x}", random(), random())
}

/// A connection that is set up to hold the lock.
async fn session(database: &Database) -> Result<MySqlConnection> {
    let mut connection = database.dedicated().await?;
    sqlx::query(statement!("lock_session.sql").sql()).execute(&mut connection).await?;
    Ok(connection)
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
    holder_of(&sqlx::query(sql.sql()).bind(name).fetch_optional(connection).await.ok()??)
}

pub(super) fn holder_of(row: &MySqlRow) -> Option<Holder> {
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
