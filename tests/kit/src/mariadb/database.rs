//! Databases and users of a private instance.

use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Context;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sqlx::mysql::{MySqlConnection, MySqlPool, MySqlPoolOptions};

use super::Mariadb;
use crate::random;

static NEXT: AtomicU64 = AtomicU64::new(1);

/// A database with a name of its own. It stays until the instance ends.
#[derive(Clone, Debug)]
pub struct Database<'a> {
    mariadb: &'a Mariadb,
    name: String,
}

impl Mariadb {
    /// Creates an empty database, named with dashes as in production: `production-db-<n>-<random>`.
    ///
    /// # Panics
    /// If the server does not create it.
    #[must_use]
    pub fn database(&self) -> Database<'_> {
        let name = format!("production-db-{}-{}", NEXT.fetch_add(1, Ordering::Relaxed), random::text(6));
        match self.execute(&format!("CREATE DATABASE `{name}`")) {
            Ok(()) => Database { mariadb: self, name },
            Err(error) => panic!("failed to create a database: {error:#}"),
        }
    }

    /// Creates a user and runs the grants, in which `{user}` stands for it: `GRANT SELECT ON x.* TO {user}`. The
    /// password holds characters that URLs, shells and SQL treat specially. Returns name and password.
    pub fn user(&self, grants: &[&str]) -> anyhow::Result<(String, String)> {
        let name = format!("app-{}-{}", NEXT.fetch_add(1, Ordering::Relaxed), random::text(6));
        let password = format!("p@:/?#%&+= '\"\\`$!é{}", random::text(12));
        let user = format!("'{name}'@'127.0.0.1'");
        let literal = password.replace('\\', "\\\\").replace('\'', "\\'");
        self.execute(&format!("CREATE USER {user} IDENTIFIED BY '{literal}'"))?;
        for grant in grants {
            self.execute(&grant.replace("{user}", &user))?;
        }
        Ok((name, password))
    }

    /// The URL of a database for such a user, with what must be percent-encoded encoded.
    #[must_use]
    pub fn user_url(&self, name: &str, password: &str, database: &str) -> String {
        format!("mysql://{}:{}@127.0.0.1:{}/{}", in_url(name), in_url(password), self.port(), in_url(database))
    }
}

impl Database<'_> {
    /// Its name, which needs back-ticks in SQL.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its URL for root.
    #[must_use]
    pub fn url(&self) -> String {
        self.mariadb.root_url(&self.name)
    }

    /// A pool of root connections to it. To be called within a runtime, which the pool belongs to.
    #[must_use]
    pub fn pool(&self) -> MySqlPool {
        MySqlPoolOptions::new().connect_lazy_with(self.mariadb.root_options(Some(&self.name)))
    }

    /// One root connection to it.
    pub async fn connect(&self) -> anyhow::Result<MySqlConnection> {
        self.mariadb.connect(&self.name).await
    }

    /// Runs statements in it as root, from blocking code too.
    pub fn execute(&self, sql: &str) -> anyhow::Result<()> {
        self.mariadb.execute(&format!("USE `{}`; {sql}", self.name)).context("failed in the test's database")
    }

    /// The instance it is in.
    #[must_use]
    pub fn mariadb(&self) -> &Mariadb {
        self.mariadb
    }
}

/// Percent-encodes all but letters, digits and dashes.
pub(super) fn in_url(text: &str) -> String {
    const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-');
    utf8_percent_encode(text, ENCODED).to_string()
}
