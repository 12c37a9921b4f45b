//! The server as a whole: what it is, and what on it would make a lock, a cutover or a count mean less than they say.

use anyhow::Result;
use sqlx::Row;

use super::session::Database;
use super::sql::statement;
use crate::failure::Failure;

/// What the server is, and its settings that decide whether a cutover is possible. Any user may ask for these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerFacts {
    /// `10.11.6-MariaDB-…`.
    pub version: String,
    /// Whether it writes a binary log.
    pub log_bin: bool,
    /// STATEMENT, MIXED or ROW.
    pub binlog_format: String,
    /// The largest transaction that the binary log takes, in bytes.
    pub binlog_cache_max: u64,
    /// Which columns of a row it logs: FULL, MINIMAL, NOBLOB, or FULL_NODUP since MariaDB 11.4.
    pub binlog_row_image: String,
    /// Whether it logs the text of statements beside the rows that they change.
    pub binlog_annotates: bool,
    /// The size of InnoDB's redo log, in bytes.
    pub redo_log: u64,
    /// The size of InnoDB's buffer pool, in bytes: locks are kept in it, too.
    pub buffer_pool: u64,
    /// What sessions begin with, unless they say otherwise: words between commas.
    pub sql_mode: String,
    /// Whether it refuses writes.
    pub read_only: bool,
    /// Whether it applies the changes of another server now.
    pub replicating: bool,
    /// Whether it is a member of a Galera cluster.
    pub galera: bool,
}

/// Reads what the server is.
///
/// # Errors
/// If the database cannot be read.
pub async fn server_facts(database: &Database) -> Result<ServerFacts> {
    let row = sqlx::query(statement!("server.sql").sql()).fetch_one(database.pool()).await?;
    let is = |name| Ok::<_, sqlx::Error>(row.try_get::<i64, _>(name)? != 0);
    let galera = sqlx::query(statement!("galera.sql").sql()).fetch_optional(database.pool()).await?;
    Ok(ServerFacts {
        version: row.try_get("version")?,
        log_bin: is("log_bin")?,
        binlog_format: row.try_get("binlog_format")?,
        binlog_cache_max: row.try_get("binlog_cache_max")?,
        binlog_row_image: row.try_get("binlog_row_image")?,
        binlog_annotates: is("binlog_annotates")?,
        redo_log: row.try_get("redo_log")?,
        buffer_pool: row.try_get("buffer_pool")?,
        sql_mode: row.try_get("sql_mode")?,
        read_only: is("read_only")?,
        replicating: is("replicating")?,
        galera: galera.is_some_and(|row| row.try_get::<String, _>(1).is_ok_and(|value| value == "ON")),
    })
}

/// Refuses servers on which a writing run could not keep its promises.
///
/// # Errors
/// [`Failure::Usage`] for `binlog_format=STATEMENT`, [`Failure::Refused`] for a read-only server, a running replica (its
/// rows lag behind those that the application writes) and a member of a Galera cluster.
pub(super) async fn check_server(database: &Database) -> Result<()> {
    let server = server_facts(database).await?;
    if server.log_bin && server.binlog_format == "STATEMENT" {
        let message =
            "the server logs statements (binlog_format=STATEMENT), which READ COMMITTED does not allow".to_owned();
        let hint = "set binlog_format to MIXED or ROW on the server".to_owned();
        return Err(Failure::Usage { message, hint }.into());
    }
    if server.read_only {
        return refused("the server is read-only (read_only=ON)", "connect to the primary, not to a replica");
    }
    if server.replicating && !database.replica_is_primary() {
        return refused(
            "the server replicates from another one, so that its rows lag behind those of the application",
            "connect to the primary; if the application does write to this server, as in circular replication, say \
             --replica-is-primary",
        );
    }
    if server.galera {
        let hint = "run against a server that is no member of a Galera cluster";
        return refused("the server is a member of a Galera cluster, which has no named locks", hint);
    }
    Ok(())
}

/// Refuses servers on which a run cannot be shared: claims pass over what others are just taking (MariaDB 10.6: "SELECT …
/// SKIP LOCKED").
///
/// # Errors
/// [`Failure::Usage`] for an older server; if the database cannot be read.
pub async fn check_can_share(database: &Database) -> Result<()> {
    let version = server_facts(database).await?.version;
    if release(&version).is_some_and(|release| release >= (10, 6)) {
        return Ok(());
    }
    let message = format!("the server is {version}: --workers join needs MariaDB 10.6 (SKIP LOCKED)");
    Err(Failure::Usage { message, hint: "leave it out: one worker alone needs no more than before".to_owned() }.into())
}

/// The first two numbers of a version such as `10.11.6-MariaDB-…`.
fn release(version: &str) -> Option<(u32, u32)> {
    let mut numbers = version.split(['.', '-']).map(str::parse);
    numbers.next()?.ok().zip(numbers.next()?.ok())
}

fn refused(reason: &str, hint: &str) -> Result<()> {
    Err(Failure::Refused { reasons: vec![reason.to_owned()], hint: hint.to_owned() }.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_told_by_their_numbers() {
        assert_eq!(release("10.11.6-MariaDB-0+deb12u1"), Some((10, 11)));
        assert_eq!(release("11.8-MariaDB"), Some((11, 8)));
        assert_eq!(release("MariaDB"), None);
        assert!(release("10.11.6-MariaDB") > Some((10, 6)) && release("10.5.29-MariaDB") < Some((10, 6)));
    }
}
