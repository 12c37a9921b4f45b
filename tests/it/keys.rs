//! Tables with every kind of key: all rows move, each to its own new path, and the report names each row.

use std::collections::BTreeSet;

use crate::support::World;

/// More rows than fit on a page.
const MANY: usize = 5200;

/// Pictures 0 to 9, which the rows of a large table share.
fn shared_pictures(world: &World) {
    for n in 0..10 {
        world.source(&format!("image/avatar-{n}.png"));
    }
}

/// All `rows` rows of column `path` move, the report has a line for each, and finalize ends clean.
fn assert_all_move(world: &World, table: &str, rows: usize, keys_differ: bool) {
    let copied = world.run(&["copy"]).exits(0);
    assert_eq!(copied.number("/rows/updated"), rows as u64, "{table}");
    let left = world.column(&format!("SELECT COUNT(*) AS v FROM {table} WHERE path NOT LIKE BINARY 'avatar/%'"));
    assert_eq!(left, ["0"], "{table}");
    world.run(&["verify", "--report", "out.csv"]).exits(0);
    let report = world.report("out.csv");
    let lines = report.iter().filter(|line| line["status"] == "migrated");
    let keys: Vec<&String> = lines.map(|line| &line["primary_key"]).collect();
    assert_eq!(keys.len(), rows, "one line for each row of {table}");
    if keys_differ {
        assert_eq!(keys.iter().collect::<BTreeSet<_>>().len(), rows, "each row of {table} is named once");
    }
    world.run(&["finalize", "--yes"]).exits(0);
}

#[test]
fn rows_move_whatever_their_key_is_made_of() {
    let cases = [
        // The key, the columns that are filled, and a value for each of the rows `seq`.
        ("k VARCHAR(50) PRIMARY KEY", "k", "CONCAT('Key ', seq, ' ä')"),
        ("k VARCHAR(50) CHARACTER SET latin1 COLLATE latin1_german2_ci PRIMARY KEY", "k", "CONCAT('ü', seq)"),
        ("k CHAR(36) PRIMARY KEY", "k", "UUID()"),
        ("k UUID PRIMARY KEY", "k", "UUID()"),
        ("k BINARY(16) PRIMARY KEY", "k", "UNHEX(MD5(seq))"),
        ("k VARBINARY(16) PRIMARY KEY", "k", "UNHEX(HEX(seq))"),
        ("k INET6 PRIMARY KEY", "k", "CONCAT('2001:db8::', HEX(seq))"),
        ("k DECIMAL(20,6) PRIMARY KEY", "k", "seq / 7"),
        ("k BIGINT UNSIGNED PRIMARY KEY", "k", "18446744073709551615 - seq"),
        ("k DATETIME(6) PRIMARY KEY", "k", "'2024-01-01' + INTERVAL seq MICROSECOND"),
        ("k TIMESTAMP(6) PRIMARY KEY", "k", "'2024-10-27 00:00:00' + INTERVAL seq MINUTE"),
        ("k BIT(20) PRIMARY KEY", "k", "seq"),
        ("k DOUBLE PRIMARY KEY", "k", "seq / 3"),
        ("k FLOAT PRIMARY KEY", "k", "seq / 3"),
        ("a INT, k VARCHAR(20), PRIMARY KEY (a, k)", "a, k", "seq % 3, CONCAT('K', seq)"),
        ("a ENUM('z', 'm', 'a'), k INT, PRIMARY KEY (a, k)", "a, k", "1 + seq % 3, seq"),
        ("a SET('z', 'm', 'a'), k INT, PRIMARY KEY (a, k)", "a, k", "1 + seq % 7, seq"),
        (
            "a BINARY(2), b DATE, k INT, PRIMARY KEY (a, b, k)",
            "a, b, k",
            "UNHEX(LPAD(HEX(seq % 300), 4, '0')), '2024-01-01', seq",
        ),
        ("`the key` INT PRIMARY KEY", "`the key`", "seq"),
    ];
    for (key, columns, values) in cases {
        let world = World::bare();
        shared_pictures(&world);
        world.sql(&format!("CREATE TABLE t ({key}, path VARCHAR(100)) CHARACTER SET utf8mb4"));
        world.sql(&format!(
            "INSERT INTO t ({columns}, path) SELECT {values}, CONCAT('image/avatar-', seq % 10, '.png') FROM seq_1_to_{MANY}"
        ));
        assert_all_move(&world, "t", MANY, true);
    }
}

#[test]
fn the_path_may_be_a_part_of_the_key() {
    for key in ["path, n", "n, path"] {
        let world = World::bare();
        shared_pictures(&world);
        world.sql(&format!(
            "CREATE TABLE t (n INT NOT NULL, path VARCHAR(100) NOT NULL, PRIMARY KEY ({key})) CHARACTER SET utf8mb4"
        ));
        world.sql(&format!("INSERT INTO t SELECT seq, CONCAT('image/avatar-', seq % 10, '.png') FROM seq_1_to_{MANY}"));
        assert_all_move(&world, "t", MANY, true);
    }
}

#[test]
fn the_path_may_be_the_key() {
    let world = World::bare();
    world.sql("CREATE TABLE t (path VARCHAR(100) PRIMARY KEY) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin");
    world.sql("INSERT INTO t SELECT CONCAT('image/avatar-', seq, '.png') FROM seq_1_to_200");
    (1..=200).for_each(|n| world.source(&format!("image/avatar-{n}.png")));
    assert_all_move(&world, "t", 200, true);
    let ledger = world.ledger();
    let journaled = world.column(&format!(
        "SELECT COUNT(*) AS v FROM {ledger}.am_row_change
         WHERE row_key = old_value AND new_row_key = REPLACE(old_value, 'image/', 'avatar/')"
    ));
    assert_eq!(journaled, ["200"], "the journal knows the row's key before and after");
}

#[test]
fn a_table_without_a_key_may_hold_duplicate_rows() {
    let world = World::bare();
    shared_pictures(&world);
    world.sql("CREATE TABLE t (n INT, path VARCHAR(100)) CHARACTER SET utf8mb4");
    world.sql("INSERT INTO t SELECT seq % 5, CONCAT('image/avatar-', seq % 10, '.png') FROM seq_1_to_1000");
    assert_all_move(&world, "t", 1000, false);
    let each = world.column("SELECT CONCAT(path, ' ', COUNT(*)) AS v FROM t GROUP BY path");
    let expected: Vec<String> = (0..10).map(|n| format!("avatar/avatar-{n}.png 100")).collect();
    assert_eq!(each, expected);
}

#[test]
fn keys_that_a_collation_holds_equal_do_not_hide_rows_at_the_seam_of_two_pages() {
    let world = World::bare();
    shared_pictures(&world);
    // The first column is the same under its collation for all rows of a letter, though spelt differently.
    world.sql(
        "CREATE TABLE t (a VARCHAR(20), k INT, path VARCHAR(100), PRIMARY KEY (a, k))
         CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci",
    );
    world.sql(&format!(
        "INSERT INTO t SELECT ELT(1 + seq % 4, 'a', 'A', 'ä', 'a '), seq, CONCAT('image/avatar-', seq % 10, '.png')
         FROM seq_1_to_{}",
        2 * MANY
    ));
    assert_all_move(&world, "t", 2 * MANY, true);
}
