//! Suspects block finalize wherever they stand; mentions block nothing and stay as they are.

use crate::support::World;

/// Each would name `image/avatar-1.png` if somebody read it leniently.
const SUSPECTS: [&str; 10] = [
    "IMAGE/avatar-1.png",
    " image/avatar-1.png",
    "/image/avatar-1.png",
    "https://legacy-url/image/avatar-1.png",
    "image/AVATAR-1.png",
    "image\\avatar-1.png",
    "image%2Favatar-1.png",
    "%69mage/avatar-1.png?v=2",
    "s3://legacy-s3/image/avatar-1.png",
    "./image//avatar-1.png",
];

/// One avatar, and a table that stores no path.
fn world(column: &str) -> World {
    let world = World::new();
    world.source("image/avatar-1.png");
    world.rows(&["image/avatar-1.png"]);
    world.sql(&format!("CREATE TABLE notes (id INT AUTO_INCREMENT PRIMARY KEY, note {column})"));
    world
}

fn assert_blocked(world: &World, suspects: usize) {
    let copied = world.run(&["copy"]).exits(3);
    assert_eq!(copied.number("/rows/suspect"), suspects as u64);
    assert_eq!(copied.number("/rows/updated"), 1, "the avatar itself moves");
    let verified = world.run(&["verify", "--report", "out.csv"]).exits(3);
    assert_eq!(verified.number("/rows/suspect"), suspects as u64);
    assert_eq!(verified.json["finalizable"], false);
    assert_eq!(world.statuses("out.csv")["suspect"], suspects);
    let refused = world.run(&["finalize", "--yes"]).exits(4);
    assert!(refused.stderr.contains("rows seem to name"), "{}", refused.stderr);
    assert_eq!(world.s3.keys("legacy-s3"), ["image/avatar-1.png"], "nothing is deleted");
}

#[test]
fn suspects_in_a_plain_column_block() {
    for column in [
        "VARCHAR(200)",
        "MEDIUMTEXT",
        "VARCHAR(200) CHARACTER SET latin1",
        "VARBINARY(200)",
        "CHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
        "TEXT CHARACTER SET utf16",
    ] {
        let world = world(column);
        world.insert("notes", "note", &SUSPECTS);
        assert_blocked(&world, SUSPECTS.len());
        let notes = world.column("SELECT CONVERT(note USING utf8mb4) AS v FROM notes ORDER BY id");
        assert_eq!(notes, SUSPECTS, "never rewritten in {column}");
        let report = world.report("out.csv");
        let places = report.iter().filter(|line| line["status"] == "suspect");
        assert!(places.clone().all(|line| line["table"] == "notes" && line["column"] == "note"));
        assert_eq!(places.map(|line| line["primary_key"].clone()).collect::<Vec<_>>().len(), SUSPECTS.len());
    }
}

#[test]
fn suspects_in_the_column_of_paths_block() {
    let world = world("INT");
    world.rows(&SUSPECTS);
    assert_blocked(&world, SUSPECTS.len());
}

/// Rows that no byte of may change.
const MENTIONS: [&str; 4] = [
    "see image/avatar-1.png, please",
    "{\"picture\": \"image/avatar-1.png\", \"n\": 1}",
    "{\"picture\": \"image\\/avatar-1.png\"}",
    "<img src=\"https://legacy-url/image/avatar-1.png\">",
];

#[test]
fn a_mention_blocks_nothing_and_stays_byte_for_byte() {
    let world = world("TEXT");
    world.insert("notes", "note", &MENTIONS);
    world.sql("CREATE TABLE documents (id INT PRIMARY KEY, document JSON)");
    world.sql(
        "INSERT INTO documents VALUES (1, '{\"picture\":  \"image/avatar-1.png\"}'), (2, '\"image/avatar-1.png\"')",
    );
    let before = world.column("SELECT HEX(note) AS v FROM notes ORDER BY id");
    let documents = world.column("SELECT HEX(document) AS v FROM documents ORDER BY id");

    world.run(&["copy"]).exits(0);
    let verified = world.run(&["verify", "--report", "out.csv"]).exits(0);
    assert_eq!(verified.number("/mentions"), 6);
    assert!(verified.stderr.contains("notes.note of row 1"), "examples are shown: {}", verified.stderr);
    let strict = world.run(&["verify", "--strict-mentions", "--report", "strict.csv"]).exits(3);
    assert_eq!(strict.json["finalizable"], false);
    world.run(&["finalize", "--strict-mentions", "--yes"]).exits(4);
    assert_eq!(world.s3.keys("legacy-s3"), ["image/avatar-1.png"]);
    world.run(&["finalize", "--yes"]).exits(0);
    assert_eq!(world.s3.keys("legacy-s3"), [] as [&str; 0]);

    assert_eq!(world.column("SELECT HEX(note) AS v FROM notes ORDER BY id"), before);
    assert_eq!(world.column("SELECT HEX(document) AS v FROM documents ORDER BY id"), documents);
}

#[test]
fn what_no_bucket_can_hold_is_suspect_and_does_not_stop_the_others() {
    let world = World::bare();
    world.sql("CREATE TABLE avatars (id INT AUTO_INCREMENT PRIMARY KEY, path VARBINARY(5000))");
    world.source("image/avatar-1.png");
    let long = format!("image/avatar-{}", "x".repeat(1012));
    let longest = format!("image/avatar-{}", "x".repeat(4000));
    world.rows(&["image/avatar-1.png", &long, &longest]);
    world.sql("INSERT INTO avatars (path) VALUES (CONCAT('image/avatar-', X'FF', '.png'))");
    let copied = world.run(&["copy"]).exits(3);
    assert_eq!((copied.number("/rows/updated"), copied.number("/rows/suspect")), (1, 3));
    world.run(&["verify", "--report", "out.csv"]).exits(3);
    assert_eq!(world.statuses("out.csv")["suspect"], 3);
    world.run(&["finalize", "--yes"]).exits(4);
}
