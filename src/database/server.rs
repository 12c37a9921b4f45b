//! The server as a whole: what on it would make a lock, a cutover or a count mean less than they say.

use anyhow::Result;
use sqlx::Row;

use super::session::Database;
use super::sql::statement;
use crate::failure::Failure;

/// Refuses servers on which a writing run could not keep its promises. Everything here is visible to any user.
///
/// # Errors
/// [`Failure::Usage`] for `binlog_format=STATEMENT`, [`Failure::Refused`] for a read-only server, a running replica (its
/// rows lag behind those that the application writes) and a member of a Galera cluster.
pub(super) async fn check_server(database: &Database) -> Result<()> {
    let row = sqlx::query(statement!("server.sql").sql()).fetch_one(database.pool()).await?;
    let (log_bin, read_only): (i64, i64) = (row.try_get("log_bin")?, row.try_get("read_only")?);
    let (binlog_format, replicating): (String, i64) = (row.try_get("binlog_format")?, row.try_get("replicating")?);
    if log_bin != 0 && binlog_format == "STATEMENT" {
        let message =
            "the server logs statements (binlog_format=STATEMENT), which READ COMMITTED does not allow".to_owned();
        let hint = "set binlog_format to MIXED or ROW on the server".to_owned();
        return Err(Failure::Usage { message, hint }.into());
    }
    if read_only != 0 {
        return refused("the server is read-only (read_only=ON)", "connect to the primary, not to a replica");
    }
    if replicating != 0 && !database.replica_is_primary() {
        return refused(
            "the server replicates from another one, so that its rows lag behind those of the application",
            "connect to the primary; if the application does write to this server, as in circular replication, say \
             --replica-is-primary",
        );
    }
    let galera = sqlx::query(statement!("galera.sql").sql()).fetch_optional(database.pool()).await?;
    if galera.is_some_and(|row| row.try_get::<String, _>(1).is_ok_and(|value| value == "ON")) {
        let hint = "run against a server that is no member of a Galera cluster";
        return refused("the server is a member of a Galera cluster, which has no named locks", hint);
    }
    Ok(())
}

fn refused(reason: &str, hint: &str) -> Result<()> {
    Err(Failure::Refused { reasons: vec![reason.to_owned()], hint: hint.to_owned() }.into())
}
