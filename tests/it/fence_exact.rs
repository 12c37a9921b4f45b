//! The fence refuses exactly what the classifier calls legacy: in every kind of column, under every mapping and pattern.

use std::collections::BTreeSet;

use avatar_migrate::path::{Class, Mapping, Mappings, NamePattern, Prefix, Suspicion};
use avatar_migrate_kit::effort::{self, Lot};

use crate::support::{World, literal};

/// Mappings (legacy prefix, modern prefix) and a pattern.
type Case = (&'static [(&'static str, &'static str)], &'static str);

const CASES: [Case; 9] = [
    (&[("image/", "avatar/")], "avatar-*"),
    (&[("image/", "avatar/")], "*"),
    (
        &[("image/", "avatar/"), ("/image/", "/avatar/"), ("s3://legacy-s3/image/", "s3://production-s3/avatar/")],
        "a?c*",
    ),
    (&[("https://h/image/", "https://h/avatar/")], "avatar-*"),
    (&[("https://h/image/", "https://h/avatar/"), ("image/", "avatar/")], "*a?%#*c"),
    (&[("https://h/image/", "//n/avatar/")], "*"),
    (&[("im\\ag^e$'é😀/", "avatar/")], "*.png"),
    (&[("/", "avatar/")], "*"),
    (&[("image/", "avatar/")], "*a**b?é*|_%c"),
];

const PIECES: [&str; 36] = [
    "avatar-",
    "Avatar-",
    "a",
    "b",
    "c",
    "ac",
    "é",
    "😀",
    "e\u{301}",
    "%61",
    "%2D",
    "%2F",
    "%2f",
    "%C3%A9",
    "%c3%a9",
    "%C3",
    "%F0%9F%98%80",
    "%",
    "%%",
    "%2",
    "%23",
    "%25",
    "%3f",
    "?",
    "#",
    "/",
    "//",
    "\n",
    "\r\n",
    " ",
    "_",
    "|_%c",
    ".png",
    "\\",
    "\0",
    "\t",
];

/// What comes after each prefix in any case: lot would rarely draw it.
const TAILS: [&str; 12] = [
    "",
    "x.png",
    "x.png\n",
    "a/x.png\r\n",
    "\n.png",
    "avatar-",
    "avatar-1\n",
    "aéc",
    "a😀c\n",
    "azc\n",
    "xa%2Fb%C3%a9|_%c",
    "aabzé?|_%c\n",
];

const COLUMNS: [(&str, &str); 7] = [
    ("plain", "VARCHAR(500) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci"),
    ("wide", "VARCHAR(500) CHARACTER SET utf16"),
    ("folding", "TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci"),
    ("narrow", "VARCHAR(500) CHARACTER SET latin1"),
    ("bytes", "VARBINARY(2000)"),
    ("blob_of_bytes", "BLOB"),
    ("fixed", "CHAR(200) CHARACTER SET utf8mb4"),
];

fn mappings((pairs, pattern): Case) -> Mappings {
    let prefix = |text: &str| Prefix::new(text).expect(text);
    let mapping =
        |(legacy, modern): &(&str, &str)| Mapping::new(prefix(legacy), prefix(modern), None, None).expect("a mapping");
    let pattern = NamePattern::new(pattern).expect(pattern);
    Mappings::new(pairs.iter().map(mapping).collect(), pattern, "legacy-s3").expect("mappings")
}

/// Values that begin like a path mostly, and go on with whatever is hard to read.
fn values(case: Case, lot: &mut Lot) -> Vec<Vec<u8>> {
    let mut pick = |from: &[&str]| from[usize::try_from(lot.draw() % from.len() as u64).expect("small")].to_owned();
    let prefixes: Vec<&str> = case.0.iter().map(|(legacy, _)| *legacy).collect();
    let mut values: Vec<Vec<u8>> = Vec::new();
    for n in 0..effort::times(250, 2500) {
        let first = match n % 8 {
            0 => pick(
                &[&["IMAGE/", "imàge/", "", " image/", "https://H/image/", "avatar/", "%69mage/"], &prefixes[..]]
                    .concat(),
            ),
            _ => pick(&prefixes),
        };
        let value: String = std::iter::once(first).chain((0..n % 6).map(|_| pick(&PIECES))).collect();
        values.push(value.into_bytes());
    }
    let directed = prefixes.iter().flat_map(|prefix| TAILS.map(|tail| format!("{prefix}{tail}").into_bytes()));
    values.extend(directed);
    values.sort();
    values.dedup();
    values
}

/// What the column holds of a value: what does not fit into its character set is not written to it.
fn fits(column: &str, value: &[u8]) -> bool {
    let text = String::from_utf8_lossy(value);
    match column {
        "narrow" => text.chars().all(|c| u32::from(c) < 0x80 || (0xa0..=0xff).contains(&u32::from(c))),
        // A fixed length takes trailing blanks away.
        "fixed" => !text.ends_with(' '),
        _ => true,
    }
}

#[test]
fn the_database_and_the_classifier_agree_on_hostile_values() {
    let mut lot = Lot::of("fence_exact");
    let (mut compared, mut legacy_ones) = (0_u64, 0_u64);
    for (number, case) in CASES.into_iter().enumerate() {
        let world = World::bare();
        let columns = COLUMNS.map(|(name, kind)| format!("{name} {kind} NULL")).join(", ");
        world.sql(&format!("CREATE TABLE t (id INT NOT NULL, {columns})"));
        let mut arguments = vec!["fence".to_owned(), "--apply".to_owned(), "--yes".to_owned()];
        arguments.extend([format!("--name-pattern={}", case.1)]);
        for (legacy, modern) in case.0 {
            arguments.extend([format!("--legacy-prefix={legacy}"), format!("--modern-prefix={modern}")]);
        }
        arguments.extend(COLUMNS.map(|(name, _)| format!("--reference=t.{name}")));
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        assert_eq!(world.run(&arguments).exits(0).json["fenced"], true);

        let (mappings, values) = (mappings(case), values(case, &mut lot));
        for (column, _) in COLUMNS {
            let all: Vec<(usize, &Vec<u8>)> = values.iter().enumerate().filter(|(_, v)| fits(column, v)).collect();
            let rows = all.iter().map(|(id, value)| format!("({id}, {})", literal(&String::from_utf8_lossy(value))));
            // Rows that a constraint refuses are left out.
            let rows = rows.collect::<Vec<_>>().join(", ");
            world.sql(&format!("INSERT IGNORE INTO t (id, {column}) VALUES {rows}"));
            let taken: BTreeSet<String> =
                world.column(&format!("SELECT id AS v FROM t WHERE {column} IS NOT NULL")).into_iter().collect();
            for (id, value) in all {
                let legacy = match mappings.classify(value) {
                    Class::Legacy(_) => true,
                    // In the form of a legacy path, but naming nothing: either will do.
                    Class::Suspect(Suspicion::NotUtf8 | Suspicion::TooLong) => continue,
                    Class::Suspect(Suspicion::Variant) | Class::Modern(_) | Class::OutOfScope | Class::Foreign => false,
                };
                let refused = !taken.contains(&id.to_string());
                let shown = String::from_utf8_lossy(value);
                assert_eq!(refused, legacy, "{shown:?} in {column} under {case:?} (case {number})");
                compared += 1;
                legacy_ones += u64::from(legacy);
            }
        }
    }
    effort::record("fence_exact", &[("values compared", compared), ("legacy", legacy_ones)]);
}

#[test]
fn bytes_that_are_no_text_can_still_be_written() {
    let world = World::bare();
    world.sql("CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, path VARBINARY(100)) ");
    world.sql("INSERT INTO t (path) VALUES ('avatar/avatar-1')");
    for pattern in ["avatar-*", "a?c"] {
        world.run(&["fence", "--apply", "--yes", "--reference", "t.path", "--name-pattern", pattern]).exits(0);
    }
    world.sql("INSERT INTO t (path) VALUES (X'FFFE'), (X'00'), (X'696D6167652FFF'), (''), (NULL)");
    for legacy in ["image/avatar-é", "image/aéc", "image/a😀c"] {
        let sql = format!("INSERT INTO t (path) VALUES ({})", literal(legacy));
        assert!(world.database.execute(&sql).is_err(), "{legacy}");
    }
}

/// What a session or the server is set to does not open the fence.
#[test]
fn no_setting_of_a_session_changes_what_is_legacy() {
    let world = World::new();
    world.rows(&["avatar/avatar-1"]);
    world.run(&["fence", "--apply", "--yes", "--legacy-prefix", "i x\\/", "--modern-prefix", "avatar/"]).exits(0);
    for setting in [
        "default_regex_flags = 'EXTENDED,MULTILINE,UNGREEDY'",
        "sql_mode = 'NO_BACKSLASH_ESCAPES,ANSI_QUOTES,PIPES_AS_CONCAT'",
        "sql_mode = ''",
        "NAMES latin1",
        "collation_connection = utf8mb4_unicode_ci",
    ] {
        for (path, refused) in [("i x\\/avatar-\n", true), ("\ni x\\/avatar-1", false), ("ix\\/avatar-1", false)] {
            let insert = format!("FLUSH TABLES; SET {setting}; INSERT INTO avatars (path) VALUES ({})", literal(path));
            assert_eq!(world.database.execute(&insert).is_err(), refused, "{path:?} under {setting}");
        }
    }
    // The hole that the help names.
    world.sql(&format!(
        "SET check_constraint_checks = 0; INSERT INTO avatars (path) VALUES ({})",
        literal("i x\\/avatar-9")
    ));
}
