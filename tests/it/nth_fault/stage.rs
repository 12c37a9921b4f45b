//! The small world on which the faults strike: it has an object of every kind, and it is set back in milliseconds.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use avatar_migrate_kit::{Ignored, Snapshot, StoredObject};
use sqlx::mysql::MySqlConnection;
use tokio::runtime::Runtime;

use super::inject::without_run;
use crate::process::{Gate, until};
use crate::support::{World, content};

/// What both ways of copying are told: one object after the other, and a big object in two parts.
const SMALL: [&str; 6] = ["--concurrency", "1", "--multipart-threshold", "4kB", "--multipart-part-size", "4kB"];
/// Larger than a part, smaller than two.
const BIG: usize = 5_000;
/// The tables of the ledger.
const LEDGER: [&str; 7] = ["am_migration", "am_run", "am_object", "am_plan", "am_row_change", "am_part", "am_url"];

/// Where a phase begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    /// Before `copy`; an earlier run was killed right before its cutover.
    Planned,
    /// After `copy`, once a person has settled what it reported.
    Moved,
    /// After `finalize`.
    Deleted,
}

/// A world that can be set back to where its phase starts.
pub(super) struct Stage {
    pub(super) world: World,
    pub(super) sql: Arc<Sql>,
    method: &'static str,
    start: Option<Saved>,
}

/// What a stage is set back to.
struct Saved {
    buckets: Snapshot,
    /// The schema that holds the rows and the ledger.
    schema: String,
    targets: Vec<(String, Option<StoredObject>)>,
}

impl Stage {
    /// A world at the start of a phase whose server ignores these conditions.
    pub(super) fn at(start: Start, method: &'static str, ignored: &[Ignored]) -> Self {
        let world = World::new();
        world.s3.set_least_part(1);
        world.s3.ignore(ignored);
        let sql = Arc::new(Sql::new(&world));
        let mut stage = Self { world, sql, method, start: None };
        stage.plan();
        if start != Start::Planned {
            stage.run(&["copy"]).exits(3);
            stage.settle_by_hand();
        }
        if start == Start::Deleted {
            stage.run(&["finalize", "--yes", "--orphans", "copy", "--report", "out.csv"]).exits(0);
        }
        stage.save();
        stage
    }

    /// One object of every kind that a run of `copy` can meet.
    fn plan(&self) {
        let world = &self.world;
        // Moved by an earlier run, and replaced by the application since.
        world.source("image/avatar-superseded.png");
        world.rows(&["image/avatar-superseded.png"]);
        self.run(&["copy"]).exits(0);
        world.put("production-s3", "avatar/avatar-superseded.png", content("newer superseded"));
        // Copied by a run that was killed before its cutover, and changed since.
        world.source("image/avatar-stale.png");
        world.rows(&["image/avatar-stale.png"]);
        let copied = AtomicBool::new(false);
        let gate = Gate::at(&world.s3, move |request| {
            let copies = request.key.as_deref() == Some("avatar/avatar-stale.png");
            copied.fetch_or(copies, Ordering::SeqCst);
            copied.load(Ordering::SeqCst) && !copies && request.bucket.as_deref() == Some("legacy-s3")
        });
        let running = world.start(&self.arguments(&["copy"]));
        gate.wait();
        running.kill();
        gate.open();
        world.s3.no_faults();
        world.put("legacy-s3", "image/avatar-stale.png", content("newer stale"));
        for name in ["plain", "shared", "there", "moved", "orphan", "conflict"] {
            world.source(&format!("image/avatar-{name}.png"));
        }
        world.put("legacy-s3", "image/avatar-big.png", big());
        world.source("image/logo.png");
        world.target("avatar/avatar-there.png", "image/avatar-there.png");
        world.target("avatar/avatar-moved.png", "image/avatar-moved.png");
        world.target("avatar/avatar-conflict.png", "somebody else's");
        for name in ["plain", "shared", "shared", "big", "there", "conflict", "gone"] {
            world.rows(&[&format!("image/avatar-{name}.png")]);
        }
        world.rows(&["avatar/avatar-moved.png", "image/logo.png"]);
    }

    /// A person deletes what cannot move.
    pub(super) fn settle_by_hand(&self) {
        self.sql.run("DELETE FROM avatars WHERE path IN ('image/avatar-gone.png', 'image/avatar-conflict.png')");
        self.world.s3.remove("legacy-s3", "image/avatar-conflict.png");
    }

    /// The command with what every command of a stage is told.
    pub(super) fn arguments<'a>(&self, command: &[&'a str]) -> Vec<&'a str> {
        [command, &SMALL, &["--method", self.method]].concat()
    }

    /// Runs a command without faults.
    pub(super) fn run(&self, command: &[&str]) -> crate::support::Ended {
        self.world.run(&self.arguments(command))
    }

    fn save(&mut self) {
        let schema = format!("{}_saved", self.world.ledger());
        self.sql.run(&format!("CREATE DATABASE `{schema}`"));
        for (live, table) in self.tables() {
            self.sql.run(&format!("CREATE TABLE `{schema}`.{table} AS SELECT * FROM `{live}`.{table}"));
        }
        let keys = self.world.s3.keys("production-s3").into_iter();
        let targets = keys.map(|key| (key.clone(), self.world.s3.object("production-s3", &key))).collect();
        self.start = Some(Saved { buckets: self.world.s3.snapshot(), schema, targets });
    }

    /// Sets rows, ledger, buckets and reports back to the start.
    pub(super) fn reset(&self) {
        let Saved { buckets, schema, .. } = self.start.as_ref().expect("a start");
        let others = "SELECT CAST(id AS CHAR) FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()";
        until("the sessions of a killed program are gone", || self.sql.lines(others).is_empty());
        self.world.s3.restore(buckets);
        let tables = self.tables().into_iter().map(|(live, table)| {
            format!("DELETE FROM `{live}`.{table}; INSERT INTO `{live}`.{table} SELECT * FROM `{schema}`.{table};")
        });
        self.sql.run(&format!("BEGIN; {} COMMIT", tables.collect::<String>()));
        for file in std::fs::read_dir(self.world.directory.path()).expect("a directory") {
            std::fs::remove_file(file.expect("a file").path()).expect("a report");
        }
    }

    /// The production bucket as it was at the start.
    pub(super) fn target_at_start(&self, key: &str) -> Option<&StoredObject> {
        let targets = &self.start.as_ref().expect("a start").targets;
        targets.iter().find(|(name, _)| name == key).and_then(|(_, object)| object.as_ref())
    }

    fn tables(&self) -> Vec<(&str, &'static str)> {
        let ledger = LEDGER.iter().map(|table| (self.world.ledger(), *table));
        ledger.chain([(self.world.database.name(), "avatars")]).collect()
    }

    /// All that users and operators can see: rows, objects with all that a copy keeps, the journal.
    pub(super) fn visible(&self) -> Vec<String> {
        let mut lines = self.sql.lines("SELECT CONCAT_WS(' ', 'row', id, path, updated_at) FROM avatars ORDER BY id");
        lines.extend(self.journal());
        for bucket in ["legacy-s3", "production-s3"] {
            for key in self.world.s3.keys(bucket) {
                let Some(object) = self.world.s3.object(bucket, &key) else { continue };
                let seen = (&object.e_tag, object.headers.as_ref(), object.tags.as_ref());
                lines.push(format!("{bucket}/{} {seen:?}", without_run(&key)));
            }
        }
        lines
    }

    /// Journal lines that were not rolled back.
    pub(super) fn journal(&self) -> Vec<String> {
        let ledger = self.world.ledger();
        self.sql.lines(&format!(
            "SELECT CONCAT_WS(' ', 'moved', row_key, old_value,
                              CONCAT(modern_prefix, SUBSTR(old_value, LENGTH(legacy_prefix) + 1)))
             FROM `{ledger}`.am_row_change JOIN `{ledger}`.am_part USING (run, part) WHERE undone_by IS NULL ORDER BY 1"
        ))
    }

    /// All that a next run could see. What it does follows from this, whatever happened before.
    pub(super) fn everything(&self) -> Vec<String> {
        let facts = "source_key, target_key, state, size, source_etag, target_etag, own_copy, HEX(sha256), proof";
        let mut lines = self.visible();
        for (columns, table, order) in [
            (facts, "am_object", "1"),
            ("value, source_key", "am_url", "1"),
            ("id, clean_since IS NULL", "am_migration", "1"),
            ("command, finished_at IS NULL", "am_run", "id"),
        ] {
            let from = format!("`{}`.{table}", self.world.ledger());
            lines.extend(self.sql.lines(&format!("SELECT CONCAT_WS('|', {columns}) FROM {from} ORDER BY {order}")));
        }
        lines.push(format!("uploads {:?}", self.world.s3.open_uploads("production-s3")));
        lines
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if let Some(Saved { schema, .. }) = &self.start {
            drop(self.world.database.execute(&format!("DROP DATABASE IF EXISTS `{schema}`")));
        }
    }
}

/// The body of the big object.
pub(super) fn big() -> Vec<u8> {
    content("image/avatar-big.png").into_iter().cycle().take(BIG).collect()
}

/// One connection that stays open, for tests that ask thousands of times.
pub(super) struct Sql {
    runtime: Runtime,
    connection: Mutex<MySqlConnection>,
}

impl Sql {
    fn new(world: &World) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let connection = runtime.block_on(world.database.connect()).expect("a connection");
        Self { runtime, connection: Mutex::new(connection) }
    }

    fn run(&self, sql: &str) {
        let mut connection = self.connection.lock().expect("a lock");
        let query = sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned()));
        self.runtime.block_on(query.execute(&mut *connection)).expect(sql);
    }

    /// The only column of a query.
    pub(super) fn lines(&self, sql: &str) -> Vec<String> {
        let mut connection = self.connection.lock().expect("a lock");
        let query = sqlx::query_as(sqlx::AssertSqlSafe(sql.to_owned()));
        let rows: Vec<(Vec<u8>,)> = self.runtime.block_on(query.fetch_all(&mut *connection)).expect(sql);
        rows.into_iter().map(|(line,)| String::from_utf8_lossy(&line).into_owned()).collect()
    }
}
