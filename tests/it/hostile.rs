//! A thousand avatars with hostile names: after copy, verify and finalize each has moved with everything it has.

use std::collections::{BTreeMap, BTreeSet};

use crate::s3::{Seen, Server};
use crate::support::{AVATARS, World, literal};

/// Names that every S3 server can hold.
const NAMES: [&str; 30] = [
    "avatar-a b.png",
    "avatar-a+b.png",
    "avatar-100%.png",
    "avatar-%41.png",
    "avatar-A.png",
    "avatar-%2Fb.png",
    "avatar-a#b.png",
    "avatar-a?b.png",
    "avatar-a&b=c;d.png",
    "avatar-'single'\"double\".png",
    "avatar-😀.png",
    "avatar-e\u{301}.png",
    "avatar-\u{e9}.png",
    "nested/deeper/still/avatar-1.png",
    "avatar-image/avatar-1.png",
    "image/avatar-1.png",
    "avatar/avatar-1.png",
    "avatar-trailing.png ",
    "avatar-trailing.png",
    "=cmd/avatar-=1+1.png",
    "avatar-*.png",
    "avatar-[1]{2}.png",
    "avatar-`tick`$(x).png",
    "avatar-<b>&amp;.png",
    "avatar-|pipe_%.png",
    "avatar-",
    "avatar-\u{130}stanbul.png",
    "avatar-gnp.\u{202e}png",
    "avatar-tab\there.png",
    "AVATAR-folder/avatar-1.png",
];

/// Names that SeaweedFS, which keeps objects in folders, changes.
const NAMES_OF_FLAT_STORES: [&str; 3] = ["avatar-back\\slash.png", "double//avatar-1.png", "/avatar-1.png"];

const MEMBERS: &str = "CREATE TABLE members (
    tenant INT NOT NULL, number INT NOT NULL, picture VARCHAR(1024) NULL, cover TEXT NULL,
    seen_at DATETIME(6) NOT NULL DEFAULT '2020-01-01 00:00:00' ON UPDATE CURRENT_TIMESTAMP(6),
    PRIMARY KEY (tenant, number)
) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci";

/// What is never to be touched: bucket by bucket, keys beside the scope of the migration.
const BYSTANDERS: ([&str; 4], [&str; 4]) = (
    ["image/logo.png", "imagery/avatar-1.png", "docs/image/avatar-1.png", "image/avatars/1.png"],
    ["avatar/logo.png", "avatars/avatar-1.png", "image/avatar-7.png", "other.txt"],
);
const ORPHANS: [&str; 3] = ["avatar-orphan.png", "avatar-orphan a+b%.png", "nested/avatar-orphan.png"];

struct Expected {
    /// Rests of the keys that rows name.
    named: BTreeSet<String>,
    avatars: Vec<String>,
    members: Vec<String>,
}

/// Half of `plain` avatars and all hostile ones are legacy, the other half is modern.
fn prepare<S: Server>(world: &World<S>, plain: usize, hostile: &[&str]) -> Expected {
    world.sql(AVATARS);
    world.sql(MEMBERS);
    let plain: Vec<String> = (0..plain).map(|n| format!("avatar-{n}.png")).collect();
    let (modern, legacy) = plain.split_at(plain.len() / 2);
    let legacy: Vec<&str> = legacy.iter().map(String::as_str).chain(hostile.iter().copied()).collect();
    let mut rows: Vec<String> = legacy.iter().map(|rest| format!("image/{rest}")).collect();
    rows.extend(modern.iter().map(|rest| format!("avatar/{rest}")));
    // Two rows on one object, rows of no interest, and an empty one.
    rows.push(format!("image/{}", hostile[0]));
    rows.extend(["image/logo.png", "elsewhere/avatar-1.png", ""].map(str::to_owned));
    world.rows(&rows.iter().map(String::as_str).collect::<Vec<_>>());
    world.sql("INSERT INTO avatars (path) VALUES (NULL)");
    for (number, rest) in hostile.iter().enumerate() {
        let (picture, cover) = (literal(&format!("image/{rest}")), literal(&format!("image/{}", legacy[number])));
        world.sql(&format!(
            "INSERT INTO members (tenant, number, picture, cover) VALUES
             ({number} % 3, {number}, {picture}, NULL), (7, {number}, NULL, {cover})"
        ));
    }
    for rest in legacy.iter().copied().chain(modern.iter().map(String::as_str)).chain(ORPHANS) {
        world.source(&format!("image/{rest}"));
    }
    for rest in modern {
        world.target(&format!("avatar/{rest}"), &format!("image/{rest}"));
    }
    BYSTANDERS.0.iter().for_each(|key| world.source(key));
    BYSTANDERS.1.iter().for_each(|key| world.target(key, key));
    let modern_row = |path: &String| match path.strip_prefix("image/") {
        Some(rest) if rest != "logo.png" => format!("avatar/{rest}"),
        Some(_) | None => path.clone(),
    };
    let members = hostile.iter().map(|rest| format!("{:?}", format!("avatar/{rest}"))).collect();
    let named = legacy.iter().map(|rest| (*rest).to_owned()).chain(modern.iter().cloned()).collect();
    Expected { named, avatars: rows.iter().map(modern_row).collect(), members }
}

fn everything<S: Server>(world: &World<S>, bucket: &str) -> BTreeMap<String, Seen> {
    let keys = world.s3.keys(bucket);
    keys.into_iter().map(|key| (key.clone(), world.s3.seen(bucket, &key).expect("a listed object"))).collect()
}

fn migrate<S: Server>(world: &World<S>, plain: usize, hostile: &[&str]) {
    let expected = prepare(world, plain, hostile);
    let (source, target) = world.s3.buckets();
    let (legacy, production) = (everything(world, source), everything(world, target));

    let copied = world.run(&["copy"]).exits(0);
    assert_eq!(copied.number("/objects/copied"), (plain.div_ceil(2) + hostile.len()) as u64);
    assert_eq!(copied.number("/rows/updated"), (plain.div_ceil(2) + 1 + 3 * hostile.len()) as u64);
    let verified = world.run(&["verify", "--report", "out.csv"]).exits(0);
    assert_eq!(verified.number("/objects/verified"), expected.named.len() as u64);
    assert_eq!(verified.number("/orphans"), ORPHANS.len() as u64);
    let lines = world.statuses("out.csv");
    assert_eq!(lines["migrated"], plain + 1 + 3 * hostile.len(), "one line for each row: {lines:?}");
    let finalized = world.run(&["finalize", "--yes", "--orphan-min-age", "0s"]).exits(0);
    assert_eq!(finalized.number("/objects/deleted"), (expected.named.len() + ORPHANS.len()) as u64);

    let avatars = world.column("SELECT path AS v FROM avatars WHERE path IS NOT NULL ORDER BY id");
    assert_eq!(avatars, expected.avatars);
    assert_eq!(world.column("SELECT COUNT(*) AS v FROM avatars WHERE path IS NULL"), ["1"]);
    let pictures = world.column("SELECT picture AS v FROM members WHERE tenant < 7 ORDER BY number");
    assert_eq!(pictures.iter().map(|path| format!("{path:?}")).collect::<Vec<_>>(), expected.members);
    let covers = world.column("SELECT COUNT(*) AS v FROM members WHERE tenant = 7 AND cover LIKE BINARY 'avatar/%'");
    assert_eq!(covers, [hostile.len().to_string()]);
    assert_eq!(world.column("SELECT COUNT(*) AS v FROM members WHERE picture IS NULL"), [hostile.len().to_string()]);
    for (table, column) in [("avatars", "updated_at"), ("members", "seen_at")] {
        let late = world.column(&format!("SELECT COUNT(*) AS v FROM {table} WHERE {column} <> '2020-01-01'"));
        assert_eq!(late, ["0"], "{table}.{column} moved");
    }

    let mut left = legacy.clone();
    left.retain(|key, _| BYSTANDERS.0.contains(&key.as_str()));
    assert_eq!(everything(world, source), left, "only bystanders stay, and nobody touched them");
    let mut all = production;
    let moved = expected.named.iter().map(String::as_str).chain(ORPHANS);
    all.extend(moved.map(|rest| (format!("avatar/{rest}"), legacy[&format!("image/{rest}")].clone())));
    assert_same(&everything(world, target), &all);
    world.run(&["verify", "--report", "after.csv"]).exits(0);
    world.run(&["finalize", "--yes"]).exits(0);
}

/// Key by key, as two maps of pictures would fill the screen.
fn assert_same(found: &BTreeMap<String, Seen>, expected: &BTreeMap<String, Seen>) {
    assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    for (key, object) in expected {
        assert!(found[key].body == object.body, "the bytes of {key:?} differ");
        let bare = |seen: &Seen| Seen { body: Vec::new(), ..seen.clone() };
        assert_eq!(bare(&found[key]), bare(object), "headers of {key:?}");
    }
}

#[test]
fn a_thousand_avatars_with_hostile_names_move_with_everything_they_have() {
    let hostile: Vec<&str> = NAMES.into_iter().chain(NAMES_OF_FLAT_STORES).collect();
    migrate(&World::bare(), 1000, &hostile);
}

#[test]
fn hostile_names_move_on_seaweedfs() {
    migrate(&World::bare_on_seaweed(), 40, &NAMES);
}
