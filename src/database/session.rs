//! Connections: how they are made, what every session is set to, and what errors mean.

use std::time::Duration;

use anyhow::{Context, Result};
use secrecy::ExposeSecret;
use sqlx::mysql::{MySqlConnectOptions, MySqlPool, MySqlPoolOptions, MySqlSslMode};
use sqlx::{ConnectOptions, Connection, MySqlConnection};

use super::sql::{ident, statement};
use crate::config::{DatabaseConfig, DatabaseTls};
use crate::failure::{Failure, tls_advice};
use crate::pace::Brake;

/// The database whose rows are migrated: a small pool for reading, and the way to dedicated connections.
#[derive(Clone, Debug)]
pub struct Database {
    options: MySqlConnectOptions,
    pool: MySqlPool,
    schema: String,
    account: String,
    replica_is_primary: bool,
    brake: Brake,
}

/// Statements that a connection keeps prepared; those of single columns are not among them ([`sqlx::raw_sql`]).
const STATEMENTS: usize = 100;

impl Database {
    /// Connects and sets up the session.
    ///
    /// # Errors
    /// If the server cannot be reached or refuses the user; a [`Failure::Usage`] where the settings are the reason.
    pub async fn connect(config: &DatabaseConfig) -> Result<Self> {
        let options = options(config);
        let pool = MySqlPoolOptions::new()
            .max_connections(4)
            .acquire_timeout(Duration::from_secs(20))
            .after_connect(|connection, _| Box::pin(async move { set_up(connection).await }))
            .connect_lazy_with(options.clone());
        let schema = config.schema.clone();
        let replica_is_primary = config.replica_is_primary;
        let mut database =
            Self { options, pool, schema, account: String::new(), replica_is_primary, brake: Brake::default() };
        // One connection made by hand first: its error is the server's own, not a pool's time-out.
        let mut first = match database.dedicated().await {
            Ok(first) => first,
            Err(error) => return Err(database.cannot_connect(error, config).await),
        };
        let account: String = sqlx::query_scalar("SELECT CURRENT_USER()").fetch_one(&mut first).await?;
        database.account = quoted_account(&account);
        first.close().await?;
        Ok(database)
    }

    /// The same, held by a brake before each page that is read and each transaction.
    #[must_use]
    pub fn with_brake(self, brake: Brake) -> Self {
        Self { brake, ..self }
    }

    /// What holds it.
    #[must_use]
    pub fn brake(&self) -> &Brake {
        &self.brake
    }

    /// The pool for short reads.
    pub(crate) fn pool(&self) -> &MySqlPool {
        &self.pool
    }

    /// The schema whose rows are migrated.
    #[must_use]
    pub fn schema(&self) -> &str {
        &self.schema
    }

    /// Whether a replica is taken all the same.
    pub(super) fn replica_is_primary(&self) -> bool {
        self.replica_is_primary
    }

    /// The account by which the server knows this user, quoted for a GRANT.
    pub(super) fn account(&self) -> &str {
        &self.account
    }

    /// The GRANT that gives this user `privileges` on `object` (both already quoted).
    pub(crate) fn grant(&self, privileges: &str, object: &str) -> String {
        format!("GRANT {privileges} ON {object} TO {}", self.account)
    }

    /// The GRANT that gives this user `privileges` on all tables of `schema`, and on those of no other.
    pub(crate) fn grant_on_schema(&self, privileges: &str, schema: &str) -> String {
        self.grant(privileges, &format!("{}.*", schema_pattern(schema)))
    }

    /// A connection outside the pool: it can hold a lock or a long transaction.
    pub(crate) async fn dedicated(&self) -> Result<MySqlConnection> {
        let mut connection = MySqlConnection::connect_with(&self.options).await?;
        set_up(&mut connection).await?;
        Ok(connection)
    }

    /// Closes the pool.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    /// Without any privilege on the schema the server lets nobody in, be the schema there or not (error 1044).
    async fn cannot_connect(mut self, error: anyhow::Error, config: &DatabaseConfig) -> anyhow::Error {
        if error.downcast_ref::<sqlx::Error>().and_then(error_number) != Some(1044) {
            return cannot_connect(error, config);
        }
        let Ok(account) = account_without_schema(config).await else { return cannot_connect(error, config) };
        self.account = quoted_account(&account);
        let message = format!("the user may not use the database `{}`: {error}", self.schema);
        let grant = self.grant_on_schema("SELECT", &self.schema);
        let hint = format!(
            "check the database's name at the end of --database-url; if it is right, run as an administrator of the \
             database: {grant};"
        );
        Failure::Usage { message, hint }.into()
    }
}

async fn account_without_schema(config: &DatabaseConfig) -> sqlx::Result<String> {
    let mut connection = MySqlConnection::connect_with(&server_options(config)).await?;
    let account = sqlx::query_scalar("SELECT CURRENT_USER()").fetch_one(&mut connection).await?;
    connection.close().await?;
    Ok(account)
}

/// `user@host` as CURRENT_USER() gives it, quoted for a GRANT.
fn quoted_account(account: &str) -> String {
    let (user, host) = account.rsplit_once('@').unwrap_or((account, "%"));
    format!("{}@{}", quoted(user), quoted(host))
}

/// A user's name or host, quoted for a GRANT.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

fn options(config: &DatabaseConfig) -> MySqlConnectOptions {
    server_options(config).database(&config.schema)
}

fn server_options(config: &DatabaseConfig) -> MySqlConnectOptions {
    let ssl = match config.tls {
        DatabaseTls::Preferred => MySqlSslMode::Preferred,
        DatabaseTls::Required => MySqlSslMode::Required,
        DatabaseTls::Verify => MySqlSslMode::VerifyIdentity,
    };
    let mut options = MySqlConnectOptions::new()
        .host(&config.host)
        .port(config.port)
        .username(&config.user)
        .password(config.password.expose_secret())
        .ssl_mode(ssl)
        // All statements of a run stay prepared. One that makes room for another is closed without an answer, and with Nagle's
        // algorithm on, as sqlx 0.9 leaves it, the next one then waits for the server's delayed acknowledgement: 40 ms (RFC 1122,
        // 4.2.3.2 and 4.2.3.4).
        .statement_cache_capacity(STATEMENTS)
        .disable_statement_logging();
    if let Some(socket) = &config.socket {
        options = options.socket(socket);
    }
    if let Some(ca) = &config.tls_ca {
        options = options.ssl_ca_from_pem(ca.pem().to_vec());
    }
    options
}

async fn set_up(connection: &mut MySqlConnection) -> sqlx::Result<()> {
    sqlx::query(statement!("session.sql").sql()).execute(&mut *connection).await?;
    sqlx::query(statement!("isolation.sql").sql()).execute(connection).await.map(drop)
}

fn cannot_connect(error: anyhow::Error, config: &DatabaseConfig) -> anyhow::Error {
    let place = format!("{}:{}", config.host, config.port);
    let Some(hint) = error.downcast_ref::<sqlx::Error>().and_then(connecting_hint) else {
        return error.context(format!("failed to connect to MariaDB at {place}"));
    };
    let message = format!("failed to connect to MariaDB at {place} as `{}`: {error}", config.user);
    Failure::Usage { message, hint }.into()
}

/// What to do about a connection that did not come about, where settings may be the reason.
fn connecting_hint(error: &sqlx::Error) -> Option<String> {
    let number = error_number(error);
    let hint = match (number, error) {
        (Some(1045 | 1698), _) => "check the user name and the password (--database-user, --database-password-file)",
        (Some(1193), _) => "the server lacks a setting that MariaDB has: MySQL and old versions are not supported",
        (Some(1049), _) => "check the database's name at the end of --database-url",
        (None, sqlx::Error::Io(_) | sqlx::Error::Tls(_)) => {
            // A failed handshake is an error of input and output to sqlx.
            let advice = tls_advice(&error.to_string(), "name its authority with --database-ca");
            let other = "check host and port of --database-url, and that the server is running";
            return Some(advice.unwrap_or_else(|| other.to_owned()));
        }
        (None, sqlx::Error::Configuration(_)) => {
            "the user's authentication plugin would send the password to be read on the way: give --database-tls verify"
        }
        (None, sqlx::Error::Protocol(text)) if text.contains("auth") => {
            "the user's authentication plugin is not supported; use mysql_native_password"
        }
        (_, _) => return None,
    };
    Some(hint.to_owned())
}

/// The server's error number, if the server said something.
pub(crate) fn error_number(error: &sqlx::Error) -> Option<u16> {
    let said = error.as_database_error()?.try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>()?;
    Some(said.number())
}

/// Whether the connection is lost or cannot be had: the network, a server that ends, restarts or is full (1040, 1053 and
/// 1152 to 1161 of MariaDB's error codes), or a session that was killed (1927).
pub(crate) fn is_unreachable(error: &anyhow::Error) -> bool {
    match error.downcast_ref::<sqlx::Error>() {
        Some(sqlx::Error::Io(_) | sqlx::Error::Protocol(_) | sqlx::Error::Tls(_)) => true,
        Some(error) => matches!(error_number(error), Some(1040 | 1053 | 1152..=1161 | 1927)),
        None => false,
    }
}

/// Whether the server refused for want of a privilege (1044, 1142, 1143, 1227, 1370 and 1410 of MariaDB's error codes).
pub(crate) fn is_denied(error: &sqlx::Error) -> bool {
    matches!(error_number(error), Some(1044 | 1142 | 1143 | 1227 | 1370 | 1410))
}

/// A schema as a GRANT names it and no other: there `_` and `%` are wildcards unless they are escaped (MariaDB: "GRANT",
/// database privileges).
pub(super) fn schema_pattern(name: &str) -> String {
    ident(&name.replace('\\', r"\\").replace('_', r"\_").replace('%', r"\%"))
}

/// Turns a denied statement into a usage failure with the GRANT to run; other errors get `doing` as their context.
pub(crate) fn grant_or<T>(result: sqlx::Result<T>, doing: &str, grant: &str) -> Result<T> {
    match result {
        Err(error) if is_denied(&error) => {
            let message = format!("missing privilege to {doing}: {error}");
            Err(Failure::Usage { message, hint: format!("run as an administrator of the database: {grant};") }.into())
        }
        other => other.with_context(|| format!("failed to {doing}")),
    }
}
