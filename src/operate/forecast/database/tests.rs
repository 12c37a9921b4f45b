//! Transactions whose weight was measured on the real server, and what is advised.

use super::*;

/// The table that was measured: an id, a path of 24 bytes, some filling, a date.
fn classic(rows: u64, filling: f64) -> MovingRows {
    let image = 41.0 + filling;
    let sizes = RowSizes {
        image,
        without_blobs: image,
        key: Some(9.0),
        changed: 31.0,
        is_blob: false,
        path: 24.0,
        row_key: 6.0,
    };
    let name = ColumnName { table: "avatars".to_owned(), column: "path".to_owned() };
    MovingRows { name, rows, sizes: Some(sizes), innodb: true }
}

fn server() -> ServerFacts {
    ServerFacts {
        version: "10.11.19-MariaDB".to_owned(),
        log_bin: true,
        binlog_format: "ROW".to_owned(),
        binlog_cache_max: u64::MAX,
        binlog_row_image: "FULL".to_owned(),
        binlog_annotates: true,
        redo_log: 96 << 20,
        buffer_pool: 128 << 20,
        sql_mode: String::new(),
        read_only: false,
        replicating: false,
        galera: false,
    }
}

fn weighed(moving: &[MovingRows], chunk: TransactionRows, server: &ServerFacts) -> DatabaseForecast {
    let objects = moving.iter().map(|of| of.rows).sum();
    weigh(moving, NamedObjects { objects, key_bytes: objects * 49 }, 1.0, server, chunk)
}

#[track_caller]
fn near(told: Option<u64>, counted: f64, within: f64) {
    let told = float(told.expect("a figure"));
    assert!((told / counted - 1.0).abs() <= within, "told {told}, counted {counted}");
}

/// Counted on MariaDB 10.11: bytes of binary log, undo and redo a row, and of locks in all.
#[test]
fn what_was_measured_is_foretold() {
    let rows = 200_000;
    for (filling, log, redo, locks) in [(10.0, 158.0, 794.0, 401_528.0), (500.0, 1_142.0, 3_687.0, 1_056_888.0)] {
        let at_once = weighed(&[classic(rows, filling)], TransactionRows::All, &server()).at_once;
        near(at_once.binlog_bytes, log * float(rows), 0.02);
        near(at_once.undo_bytes, 77.5 * float(rows), 0.02);
        near(at_once.redo_bytes, redo * float(rows), 0.05);
        near(at_once.lock_bytes, locks, 0.1);
    }
}

#[test]
fn images_follow_what_the_server_logs() {
    let mut server = server();
    let mut log = |image: &str| {
        server.binlog_row_image = image.to_owned();
        weighed(&[classic(1_000, 500.0)], TransactionRows::All, &server).at_once.binlog_bytes
    };
    let (full, minimal, once) = (log("FULL"), log("MINIMAL"), log("FULL_NODUP"));
    assert!(minimal < once && once < full, "{full:?} {minimal:?} {once:?}");
    assert_eq!(log("SOMETHING_NEW"), None);
}

#[test]
fn pieces_are_weighed_and_advised_where_one_transaction_is_too_much() {
    let moving = [classic(10_000_000, 10.0)];
    let quiet = |forecast: &DatabaseForecast| forecast.advice.is_empty();
    let at_once = weighed(&moving, TransactionRows::All, &server());
    assert!(at_once.advice[0].starts_with("rows stay locked for about 3 min 20 s"), "{:?}", at_once.advice);
    let pieces = weighed(&moving, TransactionRows::AtMost(3_000_000), &server());
    assert_eq!((pieces.pieces, pieces.largest().rows), (4, 3_000_000));
    assert!(quiet(&weighed(&moving, TransactionRows::AtMost(10_000), &server())));
    let crowded = ServerFacts { buffer_pool: 16 << 20, ..server() };
    let told = weighed(&moving, TransactionRows::All, &crowded).advice;
    assert!(told[0].starts_with("row locks take "), "{told:?}");
}

#[test]
fn what_the_binary_log_does_not_take_is_told_first() {
    let narrow = ServerFacts { binlog_cache_max: 100 << 20, ..server() };
    let told = weighed(&[classic(1_000_000, 10.0)], TransactionRows::All, &narrow);
    assert!(told.is_too_large());
    assert!(told.advice[0].ends_with("give --transaction-rows 10000, or raise it"), "{:?}", told.advice);
    // The plan is 71 bytes a row.
    assert!(!told.advice[1..].iter().any(|text| text.starts_with("the plan")), "{:?}", told.advice);
    let narrower = ServerFacts { binlog_cache_max: 65 << 20, ..server() };
    let told = weighed(&[classic(1_000_000, 10.0)], TransactionRows::AtMost(10), &narrower);
    assert!(!told.is_too_large() && told.advice[0].starts_with("the plan writes "), "{:?}", told.advice);
    let silent = ServerFacts { log_bin: false, ..narrower };
    assert_eq!(weighed(&[classic(1_000_000, 10.0)], TransactionRows::All, &silent).advice, [""; 0]);
}

#[test]
fn a_table_without_a_key_is_slow_for_replicas_and_one_of_another_engine_unknown() {
    let mut keyless = classic(50_000, 10.0);
    keyless.sizes = keyless.sizes.map(|sizes| RowSizes { key: None, ..sizes });
    let told = weighed(&[keyless], TransactionRows::All, &server()).advice;
    assert!(
        told[0].starts_with("`avatars` has no primary key: a replica reads the table for each of 50,000"),
        "{told:?}"
    );
    let rocks = MovingRows { innodb: false, ..classic(10, 10.0) };
    let told = weighed(&[rocks, classic(10, 10.0)], TransactionRows::All, &server()).at_once;
    assert!(told.binlog_bytes.is_some() && told.undo_bytes.is_none() && told.lock_bytes.is_none(), "{told:?}");
    let unseen = MovingRows { sizes: None, ..classic(10, 10.0) };
    assert_eq!(weighed(&[unseen], TransactionRows::All, &server()).binlog_bytes, None);
}
