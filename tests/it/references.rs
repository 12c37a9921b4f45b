//! Which columns are references, how they are named, and what happens to those that are left out.

use serde_json::json;

use crate::support::World;

fn pictures(world: &World, n: usize) {
    (1..=n).for_each(|n| world.source(&format!("image/avatar-{n}.png")));
}

#[test]
fn character_sets_and_collations_are_no_obstacle() {
    let world = World::bare();
    let rest = "avatar-é ü.png";
    world.source(&format!("image/{rest}"));
    let columns = [
        "VARCHAR(200) CHARACTER SET latin1",
        "CHAR(100) CHARACTER SET latin1 COLLATE latin1_general_cs",
        "VARCHAR(200) CHARACTER SET utf8mb3 COLLATE utf8mb3_unicode_ci",
        "VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci",
        "VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
        "VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_nopad_ci",
        "VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_uca1400_german2_ai_ci",
        "VARCHAR(200) CHARACTER SET utf16",
        "VARCHAR(200) CHARACTER SET ucs2",
        "TEXT CHARACTER SET utf32",
        "CHAR(100)",
        "TINYTEXT",
        "MEDIUMTEXT",
        "LONGTEXT",
        "VARBINARY(200)",
        "BLOB",
    ];
    for (index, column) in columns.iter().enumerate() {
        world.sql(&format!("CREATE TABLE t{index} (id INT AUTO_INCREMENT PRIMARY KEY, path {column})"));
        // Only the first row is legacy; the others differ by case, accent, blank, or are modern or of no interest.
        let table = format!("t{index}");
        let modern = format!("avatar/{rest}");
        world.insert(
            &table,
            "path",
            &[&format!("image/{rest}"), &modern, "image/logo.png", "imàge/avatar-é ü.png", ""],
        );
    }
    let copied = world.run(&["copy"]).exits(0);
    assert_eq!(copied.number("/rows/updated"), columns.len() as u64);
    for (index, column) in columns.iter().enumerate() {
        let rows = world.column(&format!("SELECT CONVERT(path USING utf8mb4) AS v FROM t{index} ORDER BY id"));
        let modern = format!("avatar/{rest}");
        assert_eq!(rows, [&modern, &modern, "image/logo.png", "imàge/avatar-é ü.png", ""], "{column}");
    }
    let verified = world.run(&["verify", "--report", "out.csv"]).exits(0);
    assert_eq!(verified.number("/rows/modern"), 2 * columns.len() as u64);
    assert_eq!(verified.number("/rows/out_of_scope"), columns.len() as u64);
    assert_eq!(verified.number("/rows/foreign"), 2 * columns.len() as u64);
    world.run(&["finalize", "--yes"]).exits(0);
}

#[test]
fn views_enums_sets_and_generated_columns_are_never_references() {
    let world = World::new();
    pictures(&world, 1);
    world.rows(&["image/avatar-1.png"]);
    world.sql("CREATE VIEW everyone AS SELECT id, path FROM avatars");
    world.sql(
        "CREATE TABLE odd (id INT PRIMARY KEY, path VARCHAR(100),
         e ENUM('image/avatar-1.png'), s SET('image/avatar-1.png'),
         v VARCHAR(200) AS (CONCAT('', path)) VIRTUAL, p VARCHAR(200) AS (CONCAT(path, '')) PERSISTENT)",
    );
    world.sql("INSERT INTO odd (id, path, e, s) VALUES (1, 'image/avatar-1.png', 1, 1)");
    let copied = world.run(&["copy"]).exits(0);
    assert_eq!(copied.json["references"], json!(["avatars.path", "odd.path"]));
    assert_eq!(
        world.column("SELECT CONCAT_WS(' ', path, e, s, v, p) AS v FROM odd"),
        ["avatar/avatar-1.png image/avatar-1.png image/avatar-1.png avatar/avatar-1.png avatar/avatar-1.png"]
    );
    world.run(&["verify", "--report", "out.csv"]).exits(0);
}

#[test]
fn several_columns_of_one_row_move_together() {
    let world = World::bare();
    pictures(&world, 3);
    world.sql(
        "CREATE TABLE pages (id INT AUTO_INCREMENT PRIMARY KEY, a VARCHAR(100), b TEXT, c VARBINARY(100), d VARCHAR(100),
         changed TIMESTAMP(3) NOT NULL DEFAULT '2020-01-01' ON UPDATE CURRENT_TIMESTAMP(3),
         touched DATETIME DEFAULT '2020-01-01' ON UPDATE CURRENT_TIMESTAMP)",
    );
    world.sql(
        "INSERT INTO pages (a, b, c, d) VALUES
         ('image/avatar-1.png', 'image/avatar-2.png', 'image/avatar-3.png', 'plain'),
         ('image/avatar-1.png', NULL, 'image/avatar-1.png', '')",
    );
    let copied = world.run(&["copy"]).exits(0);
    assert_eq!(copied.json["references"], json!(["pages.a", "pages.b", "pages.c"]));
    assert_eq!(copied.number("/rows/updated"), 5);
    assert_eq!(
        world.column("SELECT CONCAT_WS(' ', a, b, c, d) AS v FROM pages ORDER BY id"),
        [
            "avatar/avatar-1.png avatar/avatar-2.png avatar/avatar-3.png plain",
            "avatar/avatar-1.png avatar/avatar-1.png "
        ]
    );
    let moved =
        world.column("SELECT COUNT(*) AS v FROM pages WHERE changed <> '2020-01-01' OR touched <> '2020-01-01'");
    assert_eq!(moved, ["0"]);
}

#[test]
fn hostile_names_of_tables_and_columns_are_only_names() {
    let world = World::bare();
    pictures(&world, 2);
    let names = [
        ("my table", "the path"),
        ("dotted.table", "dotted.column"),
        ("tick``table", "tick``column"),
        ("quote'\"table", "quote'\"column"),
        ("select", "from"),
        ("täble😀".trim_end_matches('😀'), "Spalte-ß"),
        ("percent%_", "{value}"),
        ("-- comment", "a; DROP TABLE x"),
    ];
    for (table, column) in names {
        world.sql(&format!(
            "CREATE TABLE `{table}` (`a.b id` INT AUTO_INCREMENT PRIMARY KEY, `{column}` VARCHAR(100) UNIQUE)"
        ));
        world.insert(&format!("`{table}`"), &format!("`{column}`"), &["image/avatar-1.png", "image/avatar-2.png"]);
    }
    let copied = world.run(&["copy"]).exits(0);
    assert_eq!(copied.number("/rows/updated"), 2 * names.len() as u64);
    for (table, column) in names {
        let rows = world.column(&format!("SELECT `{column}` AS v FROM `{table}`"));
        assert_eq!(rows, ["avatar/avatar-1.png", "avatar/avatar-2.png"], "{table}.{column}");
    }
    world.run(&["verify", "--report", "out.csv"]).exits(0);
    let report = world.report("out.csv");
    for (table, column) in names {
        let (table, column) = (table.replace("``", "`"), column.replace("``", "`"));
        let lines = report.iter().filter(|line| {
            // A cell that a spreadsheet would run is defused.
            line["table"].trim_start_matches('\'') == table && line["column"] == column
        });
        assert_eq!(lines.count(), 2, "{table}.{column}");
    }
    world.run(&["finalize", "--yes"]).exits(0);
}

#[test]
fn an_explicit_reference_leaves_the_others_unlisted_and_they_block() {
    let world = World::new();
    pictures(&world, 3);
    world.rows(&["image/avatar-1.png"]);
    world.sql("CREATE TABLE `other.table` (id INT PRIMARY KEY, path TEXT)");
    world.sql("INSERT INTO `other.table` VALUES (7, 'image/avatar-2.png')");
    let only = ["--reference", "avatars.path"];
    let copied = world.run(&[&["copy"], &only[..]].concat());
    assert_eq!(copied.json["references"], json!(["avatars.path"]));
    assert_eq!(copied.number("/rows/updated"), 1);
    let verified = world.run(&[&["verify", "--report", "out.csv"], &only[..]].concat()).exits(3);
    assert_eq!(verified.json["unlisted_references"], json!(["other.table.path"]));
    let unlisted = world.report("out.csv").into_iter().find(|line| line["status"] == "unlisted_reference");
    let unlisted = unlisted.expect("a line for the unlisted row");
    assert_eq!((unlisted["table"].as_str(), unlisted["primary_key"].as_str()), ("other.table", "7"));
    world.run(&[&["finalize", "--yes"], &only[..]].concat()).exits(4);
    assert_eq!(world.s3.keys("legacy-s3").len(), 3);
    let both = ["copy", "--reference", "avatars.path", "--reference", "`other.table`.path"];
    assert_eq!(world.run(&both).exits(0).number("/rows/updated"), 1);
    world.run(&["finalize", "--yes", "--orphans", "copy"]).exits(0);
}

#[test]
fn an_excluded_reference_is_counted_never_changed_and_blocks_nothing() {
    let world = World::new();
    pictures(&world, 2);
    world.rows(&["image/avatar-1.png"]);
    world.sql("CREATE TABLE history (id INT PRIMARY KEY, path TEXT)");
    world.sql("INSERT INTO history VALUES (1, 'image/avatar-2.png'), (2, 'IMAGE/avatar-2.png')");
    let but = ["--exclude-reference", "history.path"];
    let copied = world.run(&[&["copy"], &but[..]].concat()).exits(0);
    assert_eq!(copied.json["references"], json!(["avatars.path"]));
    assert_eq!((copied.number("/passes"), copied.number("/rows/suspect")), (1, 0), "nothing is left to do");
    let verified = world.run(&[&["verify", "--report", "out.csv"], &but[..]].concat()).exits(0);
    assert!(verified.stderr.contains("history.path"), "the excluded column is named: {}", verified.stderr);
    let finalized = world.run(&[&["finalize", "--yes"], &but[..]].concat()).exits(0);
    assert_eq!((finalized.number("/objects/deleted"), finalized.number("/objects/kept")), (1, 1));
    assert_eq!(world.s3.keys("legacy-s3"), ["image/avatar-2.png"], "what an excluded row names is no orphan");
    let history = world.column("SELECT path AS v FROM history ORDER BY id");
    assert_eq!(history, ["image/avatar-2.png", "IMAGE/avatar-2.png"]);
}

#[test]
fn a_reference_that_does_not_exist_is_a_usage_error_that_names_those_that_do() {
    let world = World::new();
    for name in ["avatars.paht", "avatar.path", "avatars.id"] {
        for flag in ["--reference", "--exclude-reference"] {
            let wrong = world.run(&["copy", flag, name]).exits(2);
            assert!(wrong.stderr.contains(name), "{}", wrong.stderr);
        }
    }
    let wrong = world.run(&["verify", "--report", "out.csv", "--reference", "avatars.paht"]).exits(2);
    assert!(wrong.stderr.contains("text columns of `avatars` are: path"), "{}", wrong.stderr);
}
