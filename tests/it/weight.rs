//! What a dry run says that the rows will take of the database, against what MariaDB then counts.

use std::sync::{Arc, Mutex};

use avatar_migrate_kit::{DatabaseFault, FaultProxy, Mariadb, MariadbOptions};
use serde_json::Value;
use sqlx::{Connection, Row};

use crate::privileges::user;
use crate::support::World;

/// What a transaction has taken of the server by now.
const TAKEN: &str = "SELECT CAST((SELECT COALESCE(SUM(trx_lock_memory_bytes), 0) FROM information_schema.innodb_trx) AS DOUBLE),
    CAST((SELECT COUNT(*) * 16384 FROM information_schema.innodb_buffer_page WHERE page_type = 'UNDO_LOG') AS DOUBLE),
    CAST((SELECT variable_value FROM information_schema.global_status WHERE variable_name = 'INNODB_LSN_CURRENT') AS DOUBLE)";

/// A table with a column of every kind of size, some of them empty, and rows whose objects are in place already.
fn world(extra: &[&str], key: &str, rows: usize) -> World {
    let extra = extra.iter().map(|&word| word.to_owned()).collect();
    let mariadb = Mariadb::start(MariadbOptions { extra, ..MariadbOptions::default() }).expect("a MariaDB");
    let world = World::on(Box::leak(Box::new(mariadb)));
    let last = rows - 1;
    world.sql(&format!(
        "CREATE TABLE avatars (id INT NOT NULL AUTO_INCREMENT, {key}, path VARCHAR(300), kind ENUM('a', 'b'),
             price DECIMAL(12, 2), seen DATETIME(3), note TEXT, thumbnail BLOB, upper_path VARCHAR(300) AS (UPPER(path)) VIRTUAL,
             updated_at TIMESTAMP NOT NULL DEFAULT '2020-01-01' ON UPDATE CURRENT_TIMESTAMP);
         INSERT INTO avatars (path, kind, price, seen, note, thumbnail)
             SELECT CONCAT('image/avatar-', LPAD(seq, 40, '0'), '.png'), 'b', seq, '2026-01-01', REPEAT('n', seq % 200),
                    IF(seq % 2, NULL, REPEAT('t', 100)) FROM seq_0_to_{last}"
    ));
    let keys = (0..rows).map(|n| format!("image/avatar-{n:040}.png"));
    world.s3.put_alike("legacy-s3", keys, "a picture");
    world.s3.put_twins("legacy-s3", "production-s3", |key| key.replacen("image", "avatar", 1));
    world
}

/// The bytes of all binary logs.
fn binlog(world: &World) -> f64 {
    let sizes = figures(world.database.mariadb(), "SHOW BINARY LOGS", 1);
    sizes.iter().sum()
}

/// The columns from the given one on of all rows, as numbers.
fn figures(mariadb: &Mariadb, sql: &'static str, from: usize) -> Vec<f64> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let mut root = mariadb.connect("").await.expect("a connection");
        let rows = sqlx::query(sql).fetch_all(&mut root).await.expect("figures");
        root.close().await.expect("a closed connection");
        let number = |row: &sqlx::mysql::MySqlRow, nth| {
            row.try_get::<f64, _>(nth).or_else(|_| row.try_get::<u64, _>(nth).map(|number| number as f64))
        };
        rows.iter().flat_map(|row| (from..row.len()).map(|nth| number(row, nth).expect("a number"))).collect()
    })
}

/// Demands that a figure is so near to what was told.
#[track_caller]
fn near(what: &str, told: &Value, counted: f64, within: f64) {
    let told = told.as_f64().expect(what);
    assert!((told / counted - 1.0).abs() <= within, "{what}: told {told}, counted {counted}");
}

#[test]
fn the_binary_log_is_foretold_for_every_kind_of_row_image() {
    let keys = ["PRIMARY KEY (id)", "KEY (id)"];
    for (image, key) in [("FULL", keys[0]), ("MINIMAL", keys[0]), ("MINIMAL", keys[1]), ("NOBLOB", keys[0])] {
        let world = world(&[&format!("--binlog-row-image={image}")], key, 3_000);
        let told = world.run(&["copy", "--dry-run"]).exits(0).json["forecast"]["database"].clone();
        let before = binlog(&world);
        world.run(&["copy"]).exits(0);
        near(&format!("{image}, {key}"), &told["binlog_bytes"], binlog(&world) - before, 0.1);
    }
}

#[test]
fn locks_undo_and_redo_are_foretold() {
    let world = world(&["--innodb-buffer-pool-size=256M"], "PRIMARY KEY (id)", 20_000);
    let told = world.run(&["copy", "--dry-run"]).exits(0).json["forecast"]["database"].clone();
    assert_eq!(told["references"][0]["rows"], 20_000, "{told}");
    let proxy = FaultProxy::before(&world.database).expect("a proxy");
    let (taken, database) = (Arc::new(Mutex::new(Vec::new())), world.database.clone());
    let noted = Arc::clone(&taken);
    proxy.on_command(move |seen| {
        let is_edge =
            seen.sql.starts_with("START TRANSACTION") || (seen.in_transaction && seen.sql.starts_with("COMMIT"));
        if is_edge {
            noted.lock().expect("a lock").push(figures(database.mariadb(), TAKEN, 0));
        }
        DatabaseFault::None
    });
    world.run_as(&proxy.url(&world.database), &["copy"]).exits(0);
    let taken = taken.lock().expect("a lock");
    let [before, .., after] = taken.as_slice() else { panic!("{taken:?}") };
    let of = |nth: usize| (before[nth], after[nth]);
    let at_once = &told["at_once"];
    near("locks", &at_once["lock_bytes"], of(0).1, 0.25);
    near("redo", &at_once["redo_bytes"], of(2).1 - of(2).0, 0.6);
    // Pages that are free again are counted, too, and may be used again: the truth lies in between.
    let undo = at_once["undo_bytes"].as_f64().expect("undo");
    assert!(undo * 1.25 > of(1).1 - of(1).0 && undo < of(1).1 * 1.25, "told {undo}, pages {:?}", of(1));
    let ledger =
        "SELECT CAST(SUM(file_size) AS DOUBLE) FROM information_schema.innodb_sys_tablespaces WHERE name LIKE 'am\\_%'";
    near("ledger", &told["ledger_bytes"], figures(world.database.mariadb(), ledger, 0)[0], 0.6);
}

#[test]
fn a_transaction_that_the_server_would_refuse_is_told_before() {
    let world = world(&[], "PRIMARY KEY (id)", 5_000);
    world.sql("SET GLOBAL max_binlog_cache_size = 2097152");
    let dry = world.run(&["copy", "--dry-run", "--format", "human"]).exits(0);
    let hint = "max_binlog_cache_size is 2.00 MiB: give --transaction-rows ";
    let (_, rows) = dry.stdout.split_once(hint).unwrap_or_else(|| panic!("no hint: {}", dry.stdout));
    let (rows, _) = rows.split_once(',').expect("a number");
    // It is true, and the advice helps.
    let refused = world.run(&["copy"]).exits(1);
    assert!(refused.stderr.contains("max_binlog_cache_size"), "{}", refused.stderr);
    let pieces = ["copy", "--transaction-rows", rows];
    let dry = world.run(&[&pieces[..], &["--dry-run"]].concat()).exits(0);
    assert_eq!(dry.json["forecast"]["database"]["advice"], Value::Array(Vec::new()));
    assert_eq!(world.run(&pieces).exits(0).number("/rows/updated"), 5_000);

    // The plan is one statement, whatever the size of a piece.
    world.sql("SET GLOBAL max_binlog_cache_size = DEFAULT");
    world.sql("UPDATE avatars SET path = REPLACE(path, 'avatar/', 'image/')");
    world.sql("SET GLOBAL max_binlog_cache_size = 262144");
    let dry = world.run(&["copy", "--dry-run", "--transaction-rows", "100"]).exits(0);
    let advice = &dry.json["forecast"]["database"]["advice"];
    assert!(advice[0].as_str().is_some_and(|text| text.starts_with("the plan writes ")), "{advice}");
    world.drop_ledger();
    let refused = world.run(&["copy", "--transaction-rows", "100"]).exits(1);
    assert!(refused.stderr.contains("max_binlog_cache_size"), "{}", refused.stderr);
}

#[test]
fn a_copy_of_many_rows_says_what_they_take() {
    let world = World::new();
    world.source("image/avatar-1.png");
    world.sql("INSERT INTO avatars (path) SELECT 'image/avatar-1.png' FROM seq_0_to_100000");
    let copied = world.run(&["copy"]).exits(0);
    let said = "forecast 100,001 rows at once: about 2.0 s; binary log ";
    assert!(copied.stderr.contains(said), "{}", copied.stderr);
    world.rows(&["image/avatar-1.png"]);
    assert!(!world.run(&["copy"]).exits(0).stderr.contains("forecast "), "few rows are no news");
}

#[test]
fn what_the_user_may_not_see_is_unknown() {
    let world = World::new();
    world.avatars(3);
    let url = user(&world, &["GRANT SELECT (id, path, updated_at) ON `{db}`.avatars TO {user}"]);
    world.sql("ALTER TABLE avatars ADD COLUMN secret TEXT");
    let dry = world.run_as(&url, &["copy", "--dry-run"]).exits(0);
    let told = &dry.json["forecast"]["database"];
    assert_eq!((&told["binlog_bytes"], &told["at_once"]["undo_bytes"]), (&Value::Null, &Value::Null), "{told}");
    assert_eq!(told["at_once"]["rows"], 3);
    let text = world.run_as(&url, &["copy", "--dry-run", "--format", "human"]).exits(0).stdout;
    assert!(text.contains("binary log unknown, undo unknown"), "{text}");
}

#[test]
fn a_server_without_a_binary_log_writes_none() {
    let world = world(&["--skip-log-bin"], "PRIMARY KEY (id)", 50);
    let told = world.run(&["copy", "--dry-run"]).exits(0).json["forecast"]["database"].clone();
    assert_eq!((&told["binlog_bytes"], &told["at_once"]["binlog_bytes"]), (&Value::from(0), &Value::from(0)), "{told}");
    assert!(told["ledger_bytes"].as_u64().is_some_and(|bytes| bytes > 0), "{told}");
}
