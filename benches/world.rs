//! A database, two buckets and the program, afresh for each round.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use anyhow::{Context, Result};
use avatar_migrate_kit::{Database, Mariadb, MariadbOptions};
use serde_json::Value;
use tempfile::TempDir;

use crate::child::{Ended, Program};
use crate::endpoint::Endpoint;

/// The classic table, as production has it.
const AVATARS: &str = "CREATE TABLE avatars (
    id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    path VARCHAR(1024) NULL,
    updated_at TIMESTAMP NOT NULL DEFAULT '2020-01-01 00:00:00' ON UPDATE CURRENT_TIMESTAMP
) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci";

/// The one MariaDB of the bench: durable at each commit, as production is, and with room for a million rows.
pub(crate) fn mariadb() -> Result<&'static Mariadb> {
    static SHARED: OnceLock<Mariadb> = OnceLock::new();
    if let Some(mariadb) = SHARED.get() {
        return Ok(mariadb);
    }
    let options = MariadbOptions {
        flush_log_at_commit: 1,
        buffer_pool_mib: 1024,
        extra: vec!["--innodb-log-file-size=512M".to_owned()],
    };
    let started = Mariadb::start(options)?;
    Ok(SHARED.get_or_init(|| started))
}

/// Where one migration takes place. Dropping it drops schema and ledger.
pub(crate) struct World {
    pub(crate) database: Database<'static>,
    pub(crate) directory: TempDir,
    pub(crate) at: Endpoint,
    pub(crate) source: String,
    pub(crate) target: String,
    ledger: String,
}

/// How a command of the program ended.
pub(crate) struct Migrated {
    pub(crate) ended: Ended,
    /// Its summary.
    pub(crate) json: Value,
    /// The seconds of each phase.
    pub(crate) phases: BTreeMap<String, f64>,
}

impl World {
    /// An empty table beside two buckets that exist.
    pub(crate) fn new(at: &Endpoint, source: &str, target: &str) -> Result<Self> {
        let database = mariadb()?.database();
        let ledger = format!("am_{}", database.name().replace('-', "_"));
        let directory = tempfile::tempdir().context("no temporary directory")?;
        database.execute(AVATARS)?;
        Ok(Self { database, directory, at: at.clone(), source: source.to_owned(), target: target.to_owned(), ledger })
    }

    /// Rows that name so many objects, every `step`-th one.
    pub(crate) fn rows(&self, prefix: &str, count: usize, step: usize) -> Result<()> {
        let last = count.saturating_sub(1);
        self.database.execute(&format!(
            "INSERT INTO avatars (path) SELECT CONCAT('{prefix}avatar-', LPAD(seq * {step}, 7, '0'), '.png')
             FROM seq_0_to_{last}"
        ))
    }

    /// Runs a command of the program and demands that it ends with 0.
    pub(crate) fn run(&self, arguments: &[&str]) -> Result<Migrated> {
        let ended = self.program(arguments).run()?;
        let json = serde_json::from_str(&ended.stdout).context("the summary is no JSON")?;
        let phases = phases(&ended.stderr);
        Ok(Migrated { ended, json, phases })
    }

    /// The program, ready to start.
    pub(crate) fn program(&self, arguments: &[&str]) -> Program {
        Program::new(env!("CARGO_BIN_EXE_avatarMigrate"), self.directory.path())
            .args(arguments)
            .env("AWS_ACCESS_KEY_ID", &self.at.access_key)
            .env("AWS_SECRET_ACCESS_KEY", &self.at.secret_key)
            .env("AWS_REGION", &self.at.region)
            .env("AVATAR_MIGRATE_SOURCE_BUCKET", &self.source)
            .env("AVATAR_MIGRATE_TARGET_BUCKET", &self.target)
            .env("AVATAR_MIGRATE_SOURCE_ENDPOINT_URL", &self.at.url)
            .env("AVATAR_MIGRATE_TARGET_ENDPOINT_URL", &self.at.url)
            .env("AVATAR_MIGRATE_DATABASE_URL", &self.database.url())
            .env("AVATAR_MIGRATE_LEDGER_SCHEMA", &self.ledger)
            .env("AVATAR_MIGRATE_FORMAT", "json")
            // The phases and their times are read from this log.
            .env("AVATAR_MIGRATE_LOG_FORMAT", "json")
    }

    /// The schema of its ledger.
    pub(crate) fn ledger(&self) -> &str {
        &self.ledger
    }

    /// Forgets what was done.
    pub(crate) fn drop_ledger(&self) -> Result<()> {
        self.database.execute(&format!("DROP DATABASE IF EXISTS `{}`", self.ledger))
    }
}

impl Drop for World {
    fn drop(&mut self) {
        // What cannot be dropped goes with the server.
        drop(self.drop_ledger());
        drop(self.database.execute(&format!("DROP DATABASE `{}`", self.database.name())));
    }
}

impl Migrated {
    /// A number of the summary, such as `/rows/updated`.
    pub(crate) fn number(&self, pointer: &str) -> Result<u64> {
        let value = self.json.pointer(pointer).and_then(Value::as_u64);
        value.with_context(|| format!("{pointer} is no number in {}", self.json))
    }

    /// The seconds of a phase.
    pub(crate) fn phase(&self, name: &str) -> Result<f64> {
        self.phases.get(name).copied().with_context(|| format!("there was no phase {name}: {:?}", self.phases))
    }
}

/// The phases in a log, each with the sum of its seconds.
pub(crate) fn phases(log: &str) -> BTreeMap<String, f64> {
    let mut phases = BTreeMap::new();
    for line in log.lines() {
        if let Some((name, seconds)) = phase(line) {
            *phases.entry(name).or_default() += seconds;
        }
    }
    phases
}

/// A line of the log that closes a phase.
pub(crate) fn phase(line: &str) -> Option<(String, f64)> {
    let line: Value = serde_json::from_str(line).ok()?;
    let fields = line.get("fields").filter(|fields| fields["ended"] == true)?;
    let (name, seconds) = (fields.get("phase")?.as_str()?, fields.get("seconds")?.as_f64()?);
    Some((name.to_owned(), seconds))
}
