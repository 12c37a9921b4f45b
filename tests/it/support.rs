//! A world of one's own for each test: a database, two buckets, and the real binary.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};

use avatar_migrate_kit::{Database, EmbeddedS3, Mariadb, png};
use serde_json::Value;

use crate::process::Running;
use crate::s3::{OnSeaweed, Seen, Server};

/// The classic table, as production has it.
pub(crate) const AVATARS: &str = "CREATE TABLE avatars (
    id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    path VARCHAR(1024) NULL,
    updated_at TIMESTAMP NOT NULL DEFAULT '2020-01-01 00:00:00' ON UPDATE CURRENT_TIMESTAMP
) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci";

/// A database, an S3 server with two buckets, and a directory for reports.
pub(crate) struct World<S = Arc<EmbeddedS3>> {
    pub(crate) database: Database<'static>,
    pub(crate) s3: S,
    pub(crate) directory: tempfile::TempDir,
    ledger: String,
}

impl World {
    /// An empty world with the classic table.
    pub(crate) fn new() -> Self {
        let world = Self::bare();
        world.sql(AVATARS);
        world
    }

    /// A world without a table.
    pub(crate) fn bare() -> Self {
        Self::on(Mariadb::shared())
    }

    /// A world without a table on a database server that the test may kill.
    pub(crate) fn on(mariadb: &'static Mariadb) -> Self {
        let s3 = Arc::new(EmbeddedS3::start().expect("an embedded S3 server"));
        s3.create_bucket("legacy-s3");
        s3.create_bucket("production-s3");
        Self::with(mariadb, s3)
    }

    /// Notes from now on what is done at the S3 server.
    pub(crate) fn noted(&self) -> Noted {
        let noted = Noted::default();
        let seen = noted.clone();
        self.s3.after_request(move |request| {
            let key = request.key.clone().unwrap_or_default();
            seen.0.lock().expect("no test panics").push(format!("{} {key}", request.operation));
        });
        noted
    }
}

/// Operation and key of each request, in the order in which they were done.
#[derive(Clone, Debug, Default)]
pub(crate) struct Noted(Arc<Mutex<Vec<String>>>);

impl Noted {
    /// The how-manieth request the first one was that begins so.
    #[track_caller]
    pub(crate) fn nth(&self, begins: &str) -> usize {
        let noted = self.0.lock().expect("no test panics");
        noted.iter().position(|request| request.starts_with(begins)).unwrap_or_else(|| panic!("{begins}: {noted:#?}"))
    }
}

impl World<OnSeaweed> {
    /// A world without a table whose buckets are in SeaweedFS.
    pub(crate) fn bare_on_seaweed() -> Self {
        Self::with(Mariadb::shared(), OnSeaweed::new())
    }
}

impl<S> World<S> {
    fn with(mariadb: &'static Mariadb, s3: S) -> Self {
        let database = mariadb.database();
        let ledger = format!("am_{}", database.name().replace('-', "_"));
        Self { database, s3, directory: tempfile::tempdir().expect("a directory"), ledger }
    }

    /// The schema of the ledger, one per world as the server is shared.
    pub(crate) fn ledger(&self) -> &str {
        &self.ledger
    }

    /// Runs statements as root in the world's database.
    pub(crate) fn sql(&self, sql: &str) {
        self.database.execute(sql).expect(sql);
    }

    /// One column of a query as text, NULL as `NULL`.
    pub(crate) fn column(&self, sql: &str) -> Vec<String> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let mut connection = self.database.connect().await.expect("a connection");
            let ordered = sql.contains("ORDER BY");
            // MariaDB keeps the order of a derived table only if it has a LIMIT.
            let limit = if ordered { "LIMIT 1000000" } else { "" };
            let order = if ordered { "" } else { "ORDER BY 1" };
            let cast = format!("SELECT CAST(COALESCE(v, 'NULL') AS CHAR) FROM ({sql} {limit}) AS q {order}");
            let rows: Vec<(String,)> =
                sqlx::query_as(sqlx::AssertSqlSafe(cast)).fetch_all(&mut connection).await.expect(sql);
            rows.into_iter().map(|(value,)| value).collect()
        })
    }

    /// All paths of the classic table, sorted.
    pub(crate) fn paths(&self) -> Vec<String> {
        self.column("SELECT path AS v FROM avatars")
    }

    /// Inserts rows with these paths into the classic table.
    pub(crate) fn rows(&self, paths: &[&str]) {
        self.insert("avatars", "path", paths);
    }

    /// Inserts rows with these values of one text column.
    pub(crate) fn insert(&self, table: &str, column: &str, values: &[&str]) {
        let values: Vec<String> = values.iter().map(|value| format!("({})", literal(value))).collect();
        for values in values.chunks(5000) {
            self.sql(&format!("INSERT INTO {table} ({column}) VALUES {}", values.join(", ")));
        }
    }

    /// Holds a row of the classic table in a transaction of its own, until the blocker is dropped.
    pub(crate) fn hold_row(&self, id: u64) -> Blocker {
        self.hold(&format!("SELECT * FROM avatars WHERE id = {id} FOR UPDATE"))
    }

    /// Holds the rows of a locking read in a transaction of its own, until the blocker is dropped.
    pub(crate) fn hold(&self, read: &str) -> Blocker {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let connection = runtime.block_on(async {
            let mut connection = self.database.connect().await.expect("a connection");
            for sql in ["START TRANSACTION", read] {
                sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&mut connection).await.expect(sql);
            }
            connection
        });
        Blocker { _connection: connection, _runtime: runtime }
    }

    /// Drops the ledger, as an operator may between any two commands.
    pub(crate) fn drop_ledger(&self) {
        self.sql(&format!("DROP DATABASE IF EXISTS `{}`", self.ledger));
    }
}

impl<S: Server> World<S> {
    /// An object of the legacy bucket with headers, metadata and a tag; its content follows from its key.
    pub(crate) fn source(&self, key: &str) {
        self.put(self.s3.buckets().0, key, content(key));
    }

    /// An object of the production bucket whose content is that of the legacy object `twin`.
    pub(crate) fn target(&self, key: &str, twin: &str) {
        self.put(self.s3.buckets().1, key, content(twin));
    }

    /// Any object.
    pub(crate) fn put(&self, bucket: &str, key: &str, body: Vec<u8>) {
        self.s3.put(bucket, key, Seen::picture(body));
    }

    /// The body of an object, if it exists.
    pub(crate) fn body(&self, bucket: &str, key: &str) -> Option<Vec<u8>> {
        self.s3.seen(bucket, key).map(|object| object.body)
    }

    /// Runs the program as root of the database with these arguments.
    #[track_caller]
    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        self.run_as(&self.database.url(), arguments)
    }

    /// Runs the program with another database URL; it must end in time.
    #[track_caller]
    pub(crate) fn run_as(&self, url: &str, arguments: &[&str]) -> Ended {
        let ended = Running::start(self.command(url, arguments)).ended();
        Ended { directory: self.directory.path().to_owned(), ..ended }
    }

    /// The program, ready to start.
    pub(crate) fn command(&self, url: &str, arguments: &[&str]) -> Command {
        let mut command = bare_command(self.directory.path());
        let [endpoint, access_key, secret_key, region] = self.s3.login();
        let (source, target) = self.s3.buckets();
        command
            .env("AWS_ACCESS_KEY_ID", access_key)
            .env("AWS_SECRET_ACCESS_KEY", secret_key)
            .env("AWS_REGION", region)
            .env("AVATAR_MIGRATE_SOURCE_BUCKET", source)
            .env("AVATAR_MIGRATE_TARGET_BUCKET", target)
            .env("AVATAR_MIGRATE_SOURCE_ENDPOINT_URL", endpoint)
            .env("AVATAR_MIGRATE_TARGET_ENDPOINT_URL", endpoint)
            .env("AVATAR_MIGRATE_DATABASE_URL", url)
            .env("AVATAR_MIGRATE_LEDGER_SCHEMA", &self.ledger)
            .env("AVATAR_MIGRATE_FORMAT", "json")
            .args(arguments);
        command
    }

    /// Starts the program and does not wait for it.
    pub(crate) fn start(&self, arguments: &[&str]) -> Running {
        Running::start(self.command(&self.database.url(), arguments))
    }

    /// Keys `image/avatar-0.png` … with an object and a row each.
    pub(crate) fn avatars(&self, count: usize) -> Vec<String> {
        let keys: Vec<String> = (0..count).map(|n| format!("image/avatar-{n}.png")).collect();
        for key in &keys {
            self.source(key);
            self.rows(&[key]);
        }
        keys
    }

    /// Demands promise 1 for the classic table: every row in scope resolves to the bytes of its legacy object.
    #[track_caller]
    pub(crate) fn every_row_resolves(&self) {
        for path in self.paths() {
            let bucket = if path.starts_with("image/") { "legacy-s3" } else { "production-s3" };
            let legacy = path.replacen("avatar/", "image/", 1);
            assert!(self.body(bucket, &path) == Some(content(&legacy)), "{path} does not resolve to its picture");
        }
    }

    /// The lines of a report of this world: column name to value.
    pub(crate) fn report(&self, name: &str) -> Vec<BTreeMap<String, String>> {
        let path = self.directory.path().join(name);
        let mut reader = csv::Reader::from_path(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        reader.deserialize().map(|line| line.expect("a line of the report")).collect()
    }

    /// How many lines of a report have each status.
    pub(crate) fn statuses(&self, name: &str) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for line in self.report(name) {
            *counts.entry(line["status"].clone()).or_default() += 1;
        }
        counts
    }
}

impl<S> Drop for World<S> {
    fn drop(&mut self) {
        drop(self.database.execute(&format!("DROP DATABASE IF EXISTS `{}`", self.ledger)));
    }
}

/// A transaction that holds a row. Dropping it lets go.
pub(crate) struct Blocker {
    _connection: sqlx::MySqlConnection,
    _runtime: tokio::runtime::Runtime,
}

/// The program with an environment of its own, in a directory of its own.
pub(crate) fn bare_command(directory: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_avatarMigrate"));
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).current_dir(directory);
    command.env("HOME", directory).env("TMPDIR", directory).stdin(std::process::Stdio::null());
    command
}

/// A text as a literal that nothing in it can end.
pub(crate) fn literal(text: &str) -> String {
    let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
    format!("CONVERT(X'{hex}' USING utf8mb4)")
}

/// The content of the legacy object `key`: a picture of its own.
pub(crate) fn content(key: &str) -> Vec<u8> {
    let seed = key.bytes().fold(7_u64, |hash, byte| hash.wrapping_mul(1_099_511_628_211) ^ u64::from(byte));
    png(seed)
}

/// How the program ended.
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) json: Value,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    directory: PathBuf,
}

impl Ended {
    pub(crate) fn of(output: &Output, directory: &Path) -> Self {
        let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        Self {
            code: output.status.code().unwrap_or(-1),
            json: serde_json::from_str(&stdout).unwrap_or(Value::Null),
            stdout,
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            directory: directory.to_owned(),
        }
    }

    /// Demands an exit code; all output is shown if it is another one.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(
            self.code,
            code,
            "in {}\n--- stdout\n{}\n--- stderr\n{}",
            self.directory.display(),
            self.stdout,
            self.stderr
        );
        self
    }

    /// A number of the summary, such as `/rows/updated`.
    #[track_caller]
    pub(crate) fn number(&self, pointer: &str) -> u64 {
        let value = self.json.pointer(pointer).and_then(Value::as_u64);
        value.unwrap_or_else(|| panic!("{pointer} is no number in {}", self.json))
    }
}
