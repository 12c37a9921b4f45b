//! What is refused before anything is written: nothing copied, no row changed, and the reason says what to do.

use avatar_migrate_kit::{Mariadb, MariadbOptions};

use crate::support::{Ended, World};

fn with_one_avatar(table: &str) -> World {
    let world = World::bare();
    world.sql(table);
    world.source("image/avatar-1.png");
    world.rows(&["image/avatar-1.png"]);
    world
}

fn assert_refused(world: &World, code: i32, reason: &str) -> Ended {
    let refused = world.run(&["copy"]).exits(code);
    assert!(refused.stderr.contains(reason), "{}", refused.stderr);
    assert_eq!(world.s3.keys("production-s3"), [] as [&str; 0], "nothing is copied");
    let moved = world.paths().into_iter().filter(|path| path.starts_with("avatar/")).count();
    assert_eq!(moved, 0, "no row has changed");
    refused
}

#[test]
fn a_modern_path_that_is_too_long_for_its_column_is_found_first() {
    let path = format!("image/avatar-{}.png", "ä".repeat(40));
    for column in [
        format!("VARCHAR({})", path.chars().count()),
        format!("CHAR({})", path.chars().count()),
        format!("VARCHAR({}) CHARACTER SET latin1", path.chars().count()),
        format!("VARBINARY({})", path.len()),
    ] {
        let world =
            with_one_avatar(&format!("CREATE TABLE avatars (id INT AUTO_INCREMENT PRIMARY KEY, path {column})"));
        world.source(&path);
        world.rows(&[&path]);
        let dry = world.run(&["copy", "--dry-run"]).exits(0);
        assert!(dry.stderr.contains("copy would be refused: 1 modern paths would not fit"), "{}", dry.stderr);
        let refused = assert_refused(&world, 4, "1 modern paths would not fit into avatars.path");
        assert!(refused.stderr.contains("ALTER TABLE `avatars` MODIFY `path`"), "{}", refused.stderr);
        world.sql("ALTER TABLE avatars MODIFY path VARCHAR(200) CHARACTER SET utf8mb4");
        world.run(&["copy"]).exits(0);
    }
}

#[test]
fn the_length_of_a_text_column_is_counted_in_its_bytes() {
    for (charset, path, fits) in [
        // TINYTEXT takes 255 bytes, and the modern path is one character longer.
        ("utf8mb4", format!("image/avatar-{}", "ä".repeat(121)), false),
        ("utf8mb4", format!("image/avatar-{}", "ä".repeat(120)), true),
        ("latin1", format!("image/avatar-{}", "ä".repeat(242)), false),
        ("latin1", format!("image/avatar-{}", "ä".repeat(241)), true),
        ("utf16", format!("image/avatar-{}", "ä".repeat(114)), false),
        ("utf16", format!("image/avatar-{}", "ä".repeat(113)), true),
    ] {
        let column = format!("path TINYTEXT CHARACTER SET {charset}");
        let world = with_one_avatar(&format!("CREATE TABLE avatars (id INT AUTO_INCREMENT PRIMARY KEY, {column})"));
        world.source(&path);
        world.rows(&[&path]);
        if fits {
            assert_eq!(world.run(&["copy"]).exits(0).number("/rows/updated"), 2, "{charset}");
        } else {
            assert_refused(&world, 4, "1 modern paths would not fit into avatars.path");
        }
    }
}

#[test]
fn a_path_that_does_not_move_may_be_as_long_as_its_column() {
    let world = with_one_avatar("CREATE TABLE avatars (id INT AUTO_INCREMENT PRIMARY KEY, path VARCHAR(30))");
    world.rows(&["image/logo-of-30-character.png"]);
    assert_eq!(world.run(&["copy"]).exits(0).number("/rows/updated"), 1);
}

#[test]
fn a_modern_prefix_that_a_character_set_cannot_hold_is_found_first() {
    let world = with_one_avatar(
        "CREATE TABLE avatars (id INT PRIMARY KEY AUTO_INCREMENT, path VARCHAR(200) CHARACTER SET latin1 UNIQUE)",
    );
    // A column that is no reference does not have to hold it.
    world.sql("CREATE TABLE tokens (token VARCHAR(50) CHARACTER SET ascii PRIMARY KEY)");
    let refused = world.run(&["copy", "--modern-prefix", "łódź/"]).exits(4);
    assert!(
        refused.stderr.contains("`łódź/` does not fit into the character set latin1 of avatars.path"),
        "{}",
        refused.stderr
    );
    assert_eq!(world.s3.keys("production-s3"), [] as [&str; 0]);
    world.run(&["copy", "--modern-prefix", "bildér/"]).exits(0);
    assert_eq!(world.column("SELECT CONVERT(path USING utf8mb4) AS v FROM avatars"), ["bildér/avatar-1.png"]);
}

#[test]
fn a_table_without_transactions_is_refused() {
    for engine in ["MyISAM", "Aria"] {
        let world = with_one_avatar(&format!(
            "CREATE TABLE avatars (id INT AUTO_INCREMENT PRIMARY KEY, path VARCHAR(200)) ENGINE={engine}"
        ));
        assert_refused(&world, 4, &format!("table `avatars` uses {engine}"));
        world.run(&["copy", "--transaction-rows", "10"]).exits(0);
        assert_eq!(world.paths(), ["avatar/avatar-1.png"]);
    }
}

#[test]
fn a_foreign_key_on_the_path_is_refused_on_either_side() {
    let world = with_one_avatar("CREATE TABLE avatars (path VARCHAR(200) PRIMARY KEY) CHARACTER SET utf8mb4");
    world.sql(
        "CREATE TABLE uses (id INT AUTO_INCREMENT PRIMARY KEY, picture VARCHAR(200) REFERENCES avatars (path))
         CHARACTER SET utf8mb4",
    );
    world.sql("INSERT INTO uses (picture) VALUES ('image/avatar-1.png')");
    assert_refused(&world, 4, "foreign key uses.picture -> avatars.path");
}

#[test]
fn a_server_that_logs_statements_is_refused() {
    let extra = vec!["--log-bin=binlog".to_owned(), "--binlog-format=STATEMENT".to_owned(), "--server-id=1".to_owned()];
    let server = Mariadb::start(MariadbOptions { extra, ..MariadbOptions::default() }).expect("a server");
    server.execute("CREATE DATABASE production").expect("a schema");
    server
        .execute("CREATE TABLE production.avatars (path VARCHAR(200)); INSERT INTO production.avatars VALUES ('image/avatar-1.png')")
        .expect("a table");
    let world = World::bare();
    world.source("image/avatar-1.png");
    let refused = world.run_as(&server.root_url("production"), &["copy"]).exits(2);
    assert!(refused.stderr.contains("binlog_format") && refused.stderr.contains("MIXED or ROW"), "{}", refused.stderr);
    assert_eq!(world.s3.keys("production-s3"), [] as [&str; 0]);
    server.execute("SET GLOBAL binlog_format = MIXED").expect("a setting");
    world.run_as(&server.root_url("production"), &["copy"]).exits(0);
}

/// A world of so many avatars whose table got this definition on top.
fn constrained(avatars: usize, constraint: &str) -> World {
    let world = World::new();
    world.avatars(avatars);
    world.sql(constraint);
    world
}

fn modern(world: &World) -> usize {
    world.paths().iter().filter(|path| path.starts_with("avatar/")).count()
}

#[test]
fn a_row_that_a_check_or_a_trigger_refuses_is_left_and_all_others_move_together() {
    let refusals = [
        (
            "ALTER TABLE avatars ADD CONSTRAINT c CHECK (path <> 'avatar/avatar-4.png')",
            "ALTER TABLE avatars DROP CONSTRAINT c",
        ),
        (
            "CREATE TRIGGER t BEFORE UPDATE ON avatars FOR EACH ROW IF NEW.path = 'avatar/avatar-4.png' THEN \
             SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'not this one'; END IF",
            "DROP TRIGGER t",
        ),
    ];
    for (refusal, lifted) in refusals {
        for arguments in [&["copy"][..], &["copy", "--transaction-rows", "3"]] {
            let world = constrained(9, refusal);
            let left = world.run(arguments).exits(3);
            let numbers = ["/rows/updated", "/rows/left", "/rows/conflict", "/objects/conflict"];
            assert_eq!(numbers.map(|number| left.number(number)), [8, 1, 1, 0]);
            assert!(left.stderr.contains("image/avatar-4.png"), "{}", left.stderr);
            assert!(left.stderr.contains("the database refuses its new path"), "{}", left.stderr);
            assert_eq!(world.column("SELECT path AS v FROM avatars WHERE path LIKE 'image/%'"), ["image/avatar-4.png"]);
            let lines = format!("SELECT COUNT(*) AS v FROM `{}`.am_row_change", world.ledger());
            assert_eq!(world.column(&lines), ["8"], "what was tried and taken back left no line");
            world.every_row_resolves();
            world.sql(lifted);
            assert_eq!(world.run(&["copy"]).exits(0).number("/rows/updated"), 1);
            world.every_row_resolves();
        }
    }
}

#[test]
fn of_two_rows_that_clash_only_with_each_other_one_moves() {
    // The first fifteen letters of `avatar/avatar-1.png` and of `avatar/avatar-10.png` are the same.
    let short =
        "ALTER TABLE avatars ADD COLUMN short VARCHAR(200) AS (IF(path LIKE 'avatar/%', LEFT(path, 15), path)) UNIQUE";
    let world = constrained(11, short);
    let left = world.run(&["copy"]).exits(3);
    assert_eq!((left.number("/rows/updated"), left.number("/rows/conflict")), (10, 1));
    assert_eq!(modern(&world), 10);
    world.every_row_resolves();
    world.run(&["rollback", "--yes"]).exits(0);
    assert_eq!(modern(&world), 0);
}

#[test]
fn a_constraint_that_refuses_too_many_rows_moves_none() {
    let world = constrained(
        120,
        "ALTER TABLE avatars ADD CONSTRAINT c CHECK (path NOT LIKE 'avatar/%' OR path LIKE '%-1.png')",
    );
    let refused = world.run(&["copy"]).exits(4);
    assert!(refused.stderr.contains("the database refuses new paths"), "{}", refused.stderr);
    assert_eq!(modern(&world), 0, "all or none");
    world.every_row_resolves();
}
