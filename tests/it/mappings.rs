//! Prefixes of every form, several at once: rows keep what follows the prefix, byte for byte.

use crate::support::World;

/// The four forms, all of which mean `image/` in the legacy bucket and `avatar/` in the production bucket.
const FORMS: [&str; 16] = [
    "--legacy-prefix",
    "image/",
    "--modern-prefix",
    "avatar/",
    "--legacy-prefix",
    "/image/",
    "--modern-prefix",
    "/avatar/",
    "--legacy-prefix",
    "https://legacy-url/image/",
    "--modern-prefix",
    "https://modern-url/avatar/",
    "--legacy-prefix",
    "s3://legacy-s3/image/",
    "--modern-prefix",
    "s3://production-s3/avatar/",
];

/// Runs the three commands with these flags; copy has to move `rows` rows.
fn migrate(world: &World, flags: &[&str], rows: u64) {
    let with = |command: &[&str]| world.run(&[command, flags].concat());
    assert_eq!(with(&["copy"]).exits(0).number("/rows/updated"), rows);
    with(&["verify", "--report", "out.csv"]).exits(0);
    assert_eq!(world.statuses("out.csv")["migrated"] as u64, rows);
    with(&["finalize", "--yes"]).exits(0);
    with(&["finalize", "--yes"]).exits(0);
}

fn rows_in_order(world: &World) -> Vec<String> {
    world.column("SELECT path AS v FROM avatars ORDER BY id")
}

#[test]
fn several_forms_at_once_keep_their_suffixes() {
    let world = World::new();
    let rows = [
        ("image/avatar-1.png", "avatar/avatar-1.png"),
        ("image/avatar-1.png?v=2#top", "avatar/avatar-1.png?v=2#top"),
        ("/image/avatar-1.png", "/avatar/avatar-1.png"),
        ("/image/avatar-%41.png", "/avatar/avatar-%41.png"),
        ("https://legacy-url/image/avatar-1.png", "https://modern-url/avatar/avatar-1.png"),
        (
            "https://legacy-url/image/avatar-1.png?v=2&w=image/#top",
            "https://modern-url/avatar/avatar-1.png?v=2&w=image/#top",
        ),
        ("https://legacy-url/image/avatar-%41%20b.png", "https://modern-url/avatar/avatar-%41%20b.png"),
        ("https://legacy-url/image/%61vatar-%C3%A9.png", "https://modern-url/avatar/%61vatar-%C3%A9.png"),
        ("https://legacy-url/image/avatar-a+b.png", "https://modern-url/avatar/avatar-a+b.png"),
        ("https://legacy-url/image/nested%2Favatar-1.png#", "https://modern-url/avatar/nested%2Favatar-1.png#"),
        ("s3://legacy-s3/image/avatar-%41.png", "s3://production-s3/avatar/avatar-%41.png"),
    ];
    world.rows(&rows.map(|(legacy, _)| legacy));
    let keys =
        ["avatar-1.png", "avatar-1.png?v=2#top", "avatar-%41.png", "avatar-A b.png", "avatar-é.png", "avatar-a+b.png"];
    keys.iter().chain(&["nested/avatar-1.png"]).for_each(|rest| world.source(&format!("image/{rest}")));
    migrate(&world, &FORMS, rows.len() as u64);
    assert_eq!(rows_in_order(&world), rows.map(|(_, modern)| modern));
    let mut moved: Vec<String> = keys.iter().map(|rest| format!("avatar/{rest}")).collect();
    moved.push("avatar/nested/avatar-1.png".to_owned());
    moved.sort();
    assert_eq!(world.s3.keys("production-s3"), moved);
    assert_eq!(world.s3.keys("legacy-s3"), [] as [&str; 0]);
}

#[test]
fn urls_in_columns_of_other_character_sets_move_too() {
    for column in ["VARCHAR(200) CHARACTER SET latin1", "VARBINARY(200)", "TEXT CHARACTER SET utf16"] {
        let world = World::bare();
        world.sql(&format!("CREATE TABLE avatars (id INT AUTO_INCREMENT PRIMARY KEY, path {column})"));
        world.source("image/avatar-é.png");
        world.rows(&["https://legacy-url/image/avatar-%C3%A9.png?ü", "https://legacy-url/image/avatar-é.png"]);
        migrate(&world, &FORMS, 2);
        let rows = world.column("SELECT CONVERT(path USING utf8mb4) AS v FROM avatars ORDER BY id");
        let modern = ["https://modern-url/avatar/avatar-%C3%A9.png?ü", "https://modern-url/avatar/avatar-é.png"];
        assert_eq!(rows, modern, "{column}");
    }
}

#[test]
fn more_urls_than_a_page_move() {
    let world = World::new();
    world.source("image/avatar-1.png");
    let rows: Vec<String> = (0..5200).map(|n| format!("https://legacy-url/image/avatar-1.png?v={n}")).collect();
    world.rows(&rows.iter().map(String::as_str).collect::<Vec<_>>());
    migrate(&world, &FORMS, 5200);
    let modern: Vec<String> = rows.iter().map(|row| row.replace("legacy-url/image", "modern-url/avatar")).collect();
    assert_eq!(rows_in_order(&world), modern);
}

#[test]
fn a_pattern_that_takes_all_takes_all() {
    let world = World::new();
    let rests = ["logo.png", "avatar-1.png", "a/b/c", "x", " "];
    for rest in rests {
        world.source(&format!("image/{rest}"));
        world.rows(&[&format!("image/{rest}")]);
    }
    migrate(&world, &["--name-pattern", "*"], 5);
    assert_eq!(rows_in_order(&world), rests.map(|rest| format!("avatar/{rest}")));
    assert_eq!(world.s3.keys("legacy-s3"), [] as [&str; 0]);
}

#[test]
fn wildcards_of_like_in_prefix_and_pattern_stand_for_themselves() {
    let world = World::new();
    // Each of these would match if `_`, `%`, `|` or a backslash were not taken literally.
    world.rows(&["i_ä%|b/50%_a.png", "ixä%|b/50%_a.png", "i_äxx|b/50%_a.png", "i_ä%|b/50x_a.png", "i_ä%|b/50%xa.png"]);
    world.source("i_ä%|b/50%_a.png");
    let flags = ["--legacy-prefix", "i_ä%|b/", "--modern-prefix", "n%_ö|/", "--name-pattern", "50%_?.png"];
    migrate(&world, &flags, 1);
    let rows = ["n%_ö|/50%_a.png", "ixä%|b/50%_a.png", "i_äxx|b/50%_a.png", "i_ä%|b/50x_a.png", "i_ä%|b/50%xa.png"];
    assert_eq!(rows_in_order(&world), rows);
    assert_eq!(world.s3.keys("production-s3"), ["n%_ö|/50%_a.png"]);
}

#[test]
fn a_prefix_that_a_character_set_cannot_hold_finds_nothing_there() {
    let world = World::new();
    world.sql("CREATE TABLE old (id INT AUTO_INCREMENT PRIMARY KEY, path VARCHAR(100) CHARACTER SET latin1)");
    world.rows(&["😀/avatar-1.png"]);
    world.insert("old", "path", &["avatar/avatar-1.png", "image/avatar-1.png", "?/avatar-1.png"]);
    world.source("😀/avatar-1.png");
    let flags = ["--legacy-prefix", "😀/", "--modern-prefix", "neu/"];
    migrate(&world, &flags, 1);
    assert_eq!(rows_in_order(&world), ["neu/avatar-1.png"]);
}

#[test]
fn keys_may_begin_otherwise_than_paths() {
    let world = World::new();
    world.rows(&["image/avatar-1.png", "https://cdn/pictures/avatar-2.png"]);
    world.source("uploads/2019/avatar-1.png");
    world.source("uploads/2019/avatar-2.png");
    let flags = [
        ["--legacy-prefix", "image/", "--modern-prefix", "avatar/"],
        ["--legacy-key-prefix", "uploads/2019/", "--modern-key-prefix", ""],
        ["--legacy-prefix", "https://cdn/pictures/", "--modern-prefix", "https://new/"],
        ["--legacy-key-prefix", "uploads/2019/", "--modern-key-prefix", ""],
    ];
    migrate(&world, &flags.concat(), 2);
    assert_eq!(rows_in_order(&world), ["avatar/avatar-1.png", "https://new/avatar-2.png"]);
    assert_eq!(world.s3.keys("production-s3"), ["avatar-1.png", "avatar-2.png"]);
}

#[test]
fn where_keys_begin_otherwise_variants_of_the_paths_are_suspects_and_mentions_are_found() {
    let world = World::new();
    world.rows(&["image/avatar-1.png", "IMAGE/avatar-1.png", "/image/avatar-1.png", "HTTPS://host/image/avatar-1.png"]);
    world.rows(&["see image/avatar-1.png"]);
    world.source("uploads/avatar-1.png");
    let flags = ["--legacy-key-prefix", "uploads/"];
    assert_eq!(world.run(&[&["copy"], &flags[..]].concat()).exits(3).number("/rows/suspect"), 3);
    let verified = world.run(&[&["verify", "--report", "out.csv"], &flags[..]].concat()).exits(3);
    assert_eq!((verified.number("/rows/suspect"), verified.number("/mentions")), (3, 1));
}

#[test]
fn a_key_prefix_may_be_the_whole_bucket() {
    let world = World::new();
    // A blank is equal to an empty text in most collations.
    world.rows(&["image/a", "image/ ", "image/"]);
    world.source("a");
    world.source(" ");
    let flags = ["--legacy-key-prefix", "", "--modern-key-prefix", "moved/", "--name-pattern", "*"];
    migrate(&world, &flags, 2);
    assert_eq!(rows_in_order(&world), ["avatar/a", "avatar/ ", "image/"]);
    assert_eq!(world.s3.keys("production-s3"), ["moved/ ", "moved/a"]);
}
