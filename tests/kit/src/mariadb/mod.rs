//! A private MariaDB on the loopback, with its own data directory, port, socket and root password.

mod database;
mod template;

use std::ffi::OsString;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use anyhow::{Context, anyhow};
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection, MySqlPool, MySqlPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor};

pub use self::database::Database;

use crate::blocking::{block_on, until_ready};
use crate::supervisor::Supervisor;
use crate::{directory, ports, random};

/// Another process may take a port between its choice and its binding.
const START_ATTEMPTS: usize = 3;

/// How a private instance is set up.
#[derive(Clone, Debug)]
pub struct MariadbOptions {
    /// `innodb_flush_log_at_trx_commit`: 2 is quick and survives `kill -9` of the server; 1 is production.
    pub flush_log_at_commit: u8,
    /// `innodb_buffer_pool_size` in MiB.
    pub buffer_pool_mib: u32,
    /// More arguments for mariadbd, such as `--binlog-format=STATEMENT`; the last of two wins.
    pub extra: Vec<String>,
}

impl Default for MariadbOptions {
    fn default() -> Self {
        Self { flush_log_at_commit: 2, buffer_pool_mib: 128, extra: Vec::new() }
    }
}

/// A running instance. Dropping it kills the server and removes its data.
#[derive(Debug)]
pub struct Mariadb {
    server: Supervisor,
    port: u16,
    root_password: String,
}

impl Mariadb {
    /// The instance that all tests of a process share, started by the first of them.
    ///
    /// # Panics
    /// If it does not start, with what to do about it: a test without its database must not pass.
    #[must_use]
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Mariadb> = OnceLock::new();
        SHARED.get_or_init(|| match Self::start(MariadbOptions::default()) {
            Ok(mariadb) => mariadb,
            Err(error) => panic!("{error:#}"),
        })
    }

    /// Starts an instance of one's own.
    pub fn start(options: MariadbOptions) -> anyhow::Result<Self> {
        let mariadbd = find_mariadbd()?;
        let mut failed = None;
        for _ in 0..START_ATTEMPTS {
            match Self::start_once(&mariadbd, &options) {
                Ok(mariadb) => return Ok(mariadb),
                Err(error) => failed = Some(error),
            }
        }
        Err(failed.unwrap_or_else(|| anyhow!("mariadbd was not started")))
    }

    /// The TCP port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The password of `root`, over TCP.
    #[must_use]
    pub fn root_password(&self) -> &str {
        &self.root_password
    }

    /// `mysql://root:…@127.0.0.1:PORT/DATABASE`; the database may be empty.
    #[must_use]
    pub fn root_url(&self, database: &str) -> String {
        format!("mysql://root:{}@127.0.0.1:{}/{}", self.root_password, self.port, database::in_url(database))
    }

    /// A pool of root connections without a database. To be called within a runtime, which the pool belongs to.
    #[must_use]
    pub fn root_pool(&self) -> MySqlPool {
        MySqlPoolOptions::new().connect_lazy_with(self.root_options(None))
    }

    /// One root connection to a database.
    pub async fn connect(&self, database: &str) -> anyhow::Result<MySqlConnection> {
        let connecting = MySqlConnection::connect_with(&self.root_options(Some(database))).await;
        connecting.with_context(|| format!("failed to connect to the private MariaDB, database {database:?}"))
    }

    /// Runs statements as root, from blocking code too.
    pub fn execute(&self, sql: &str) -> anyhow::Result<()> {
        let options = self.root_options(None);
        block_on(|| async move {
            let mut root = MySqlConnection::connect_with(&options).await?;
            root.execute(sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))).await.with_context(|| sql.to_owned())?;
            root.close().await.context("failed to close a connection")
        })
    }

    /// Kills the server with SIGKILL, as a crash would, and waits until it is gone. The data stays.
    pub fn kill_hard(&self) -> anyhow::Result<()> {
        self.server.kill()
    }

    /// Starts it again on the same data and port, killing it first if it runs, and waits until it answers.
    pub fn restart(&self) -> anyhow::Result<()> {
        self.server.kill()?;
        self.server.start()?;
        self.wait_until_ready()
    }

    /// The process id of mariadbd while it runs.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.server.pid()
    }

    /// The directory that holds its data and log.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.server.directory()
    }

    fn root_options(&self, database: Option<&str>) -> MySqlConnectOptions {
        let options = MySqlConnectOptions::new()
            .host("127.0.0.1")
            .port(self.port)
            .username("root")
            .password(&self.root_password)
            .disable_statement_logging();
        match database {
            None | Some("") => options,
            Some(database) => options.database(database),
        }
    }

    fn start_once(mariadbd: &Path, options: &MariadbOptions) -> anyhow::Result<Self> {
        let template = template::prepare(mariadbd)?;
        let directory = directory::create("mariadb")?;
        let root_password = random::text(24);
        let port = ports::free(1)?.first().copied().context("no port")?;
        directory::copy(&template, &directory.path().join("data"))?;
        write_init_file(&directory.path().join("init.sql"), &root_password)?;
        let arguments = arguments(mariadbd, directory.path(), port, options)?;
        let server = Supervisor::new(directory.keep(), &arguments)?;
        server.start()?;
        let mariadb = Self { server, port, root_password };
        mariadb.wait_until_ready()?;
        Ok(mariadb)
    }

    fn wait_until_ready(&self) -> anyhow::Result<()> {
        block_on(|| {
            until_ready("mariadbd", &self.server, async || {
                let connection = self.connect("").await?;
                connection.close().await.context("failed to close a connection")
            })
        })
    }
}

fn find_mariadbd() -> anyhow::Result<PathBuf> {
    let found = directory::find_program("mariadbd", &["/usr/sbin", "/usr/local/sbin", "/usr/libexec"]);
    found.context("mariadbd is not installed, and these tests need a real MariaDB: apt-get install mariadb-server")
}

/// The password is set at every start: the data comes from a template, which has none.
fn write_init_file(path: &Path, root_password: &str) -> anyhow::Result<()> {
    let sql = format!(
        "CREATE OR REPLACE USER 'root'@'127.0.0.1' IDENTIFIED BY '{root_password}';\n\
         GRANT ALL PRIVILEGES ON *.* TO 'root'@'127.0.0.1' WITH GRANT OPTION;\n"
    );
    std::fs::write(path, sql).context("failed to write MariaDB's init file")
}

fn arguments(mariadbd: &Path, directory: &Path, port: u16, options: &MariadbOptions) -> anyhow::Result<Vec<OsString>> {
    let at = |name: &str| directory.join(name).into_os_string();
    let with = |flag: &str, value: OsString| {
        let mut argument = OsString::from(flag);
        argument.push(value);
        argument
    };
    let mut arguments = vec![
        mariadbd.as_os_str().to_owned(),
        "--no-defaults".into(),
        with("--datadir=", at("data")),
        with("--tmpdir=", directory.as_os_str().to_owned()),
        with("--socket=", at("s")),
        with("--pid-file=", at("pid")),
        with("--init-file=", at("init.sql")),
        "--bind-address=127.0.0.1".into(),
        format!("--port={port}").into(),
        "--skip-name-resolve".into(),
        "--server-id=1".into(),
        "--log-bin=binlog".into(),
        "--binlog-format=ROW".into(),
        "--performance-schema=OFF".into(),
        "--character-set-server=utf8mb4".into(),
        format!("--innodb-buffer-pool-size={}M", options.buffer_pool_mib).into(),
        format!("--innodb-flush-log-at-trx-commit={}", options.flush_log_at_commit).into(),
        "--max-connections=500".into(),
    ];
    // mariadbd refuses to run as root unless it is told to.
    if std::fs::metadata("/proc/self").context("failed to read /proc/self")?.uid() == 0 {
        arguments.push("--user=root".into());
    }
    arguments.extend(options.extra.iter().map(OsString::from));
    Ok(arguments)
}
