//! A part of the migration first, and an application that still writes legacy paths.

use crate::process::{Running, until};
use crate::support::World;

/// Keys as they are, and as a URL writes them: `%32` is `2`.
const YEARS: [&str; 5] = [
    "image/2024/avatar-1.png",
    "image/2024/avatar-2.png",
    "image/2025/avatar-3.png",
    "image/20/avatar-4.png",
    "https://old.example/image/%32024/avatar-5.png",
];

const FORMS: [&str; 8] = [
    "--legacy-prefix",
    "image/",
    "--modern-prefix",
    "avatar/",
    "--legacy-prefix",
    "https://old.example/image/",
    "--modern-prefix",
    "https://new.example/avatar/",
];

#[test]
fn only_what_has_the_prefix_moves() {
    let world = World::new();
    world.rows(&YEARS);
    for key in YEARS.iter().take(4).chain(&["image/2024/avatar-5.png"]) {
        world.source(key);
    }
    let part = ["copy", "--only-prefix", "image/2024/"].into_iter().chain(FORMS).collect::<Vec<_>>();
    let dry = world.run(&[&part[..], &["--dry-run"]].concat()).exits(0);
    assert_eq!((dry.number("/rows/planned"), dry.number("/rows/left")), (3, 5));
    assert_eq!((dry.number("/objects/planned"), dry.number("/forecast/by_type/copy")), (3, 3 + 3));
    let some = world.run(&part).exits(3);
    assert_eq!((some.number("/rows/updated"), some.number("/rows/left")), (3, 2));
    assert_eq!(some.number("/objects/planned"), 3);
    let moved = ["avatar/2024/avatar-1.png", "avatar/2024/avatar-2.png", "avatar/2024/avatar-5.png"];
    assert_eq!(world.s3.keys("production-s3"), moved);
    let rows = world.column("SELECT path AS v FROM avatars ORDER BY id");
    assert_eq!(rows[1..4], ["avatar/2024/avatar-2.png", "image/2025/avatar-3.png", "image/20/avatar-4.png"]);
    assert_eq!(rows[4], "https://new.example/avatar/%32024/avatar-5.png");
    let rest = world.run(&[&["copy"], &FORMS[..]].concat()).exits(0);
    assert_eq!(rest.number("/rows/updated"), 2);
    assert_eq!(world.run(&part).exits(0).number("/rows/planned"), 0);
}

#[test]
fn a_prefix_that_no_key_can_have_is_a_mistake() {
    let world = World::new();
    world.avatars(1);
    let ended = world.run(&["copy", "--only-prefix", "avatar/"]).exits(2);
    assert!(ended.stderr.contains("flag --only-prefix: no legacy key begins with `avatar/`"), "{}", ended.stderr);
    assert!(ended.stderr.contains("begin with `image/`"), "{}", ended.stderr);
    world.run(&["verify"]).exits(3);
    // Shorter than the key prefix: all of it.
    assert_eq!(world.run(&["copy", "--only-prefix", "im"]).exits(0).number("/rows/updated"), 1);
}

/// A copy that watches, once it has moved what was there.
fn watching(world: &World, flags: &[&str]) -> Running {
    let mut running = world.start(&[&["copy", "--watch", "1s"], flags].concat());
    until("it watches", || running.has_said("watch: looking for new legacy rows"));
    running
}

fn is_modern(world: &World, key: &str) -> bool {
    world.paths().contains(&key.replacen("image/", "avatar/", 1))
}

#[test]
fn what_the_application_still_writes_is_moved_until_nothing_comes() {
    let world = World::new();
    world.avatars(3);
    world.rows(&["image/avatar-gone.png"]);
    let mut running = watching(&world, &["--until-empty", "6s"]);
    for key in ["image/avatar-late-1.png", "image/avatar-late-2.png"] {
        world.source(key);
        world.rows(&[key]);
        until("the late row has moved", || is_modern(&world, key));
    }
    until("it says who writes", || running.has_said("watch: avatars.path is still written, "));
    // A row that cannot move does not keep it from ending.
    let ended = running.ended().exits(3);
    assert_eq!((ended.number("/rows/updated"), ended.number("/rows/left")), (5, 1));
    assert_eq!(ended.number("/objects/missing_source"), 1);
    let written = &ended.json["watched"]["written"][0];
    assert_eq!((&written["reference"], &written["rows"]), (&"avatars.path".into(), &2.into()));
    assert!(written["per_minute"].as_f64().expect("a rate") > 0.0, "{written}");
    assert!(ended.json["watched"]["quiet_seconds"].as_f64().expect("seconds") >= 6.0, "{}", ended.json);
    world.run(&["verify", "--report", "out.csv"]).exits(3);
    assert_eq!(world.statuses("out.csv")["migrated"], 5);
}

#[test]
fn without_an_end_it_watches_until_it_is_interrupted() {
    let world = World::new();
    world.avatars(1);
    let running = watching(&world, &[]);
    world.source("image/avatar-late.png");
    world.rows(&["image/avatar-late.png"]);
    until("the late row has moved", || is_modern(&world, "image/avatar-late.png"));
    until("status tells it", || world.run(&["status"]).json["run"]["phase"]["name"] == "watch");
    running.signal("INT");
    running.ended().exits(130);
    assert_eq!(world.run(&["copy"]).exits(0).number("/rows/planned"), 0);
}

#[test]
fn a_watch_that_could_not_work_is_refused() {
    let world = World::new();
    world.avatars(1);
    let refused = |flags: &[&str], message: &str| {
        let ended = world.run(&[&["copy"], flags].concat()).exits(2);
        assert!(ended.stderr.contains(message), "{}", ended.stderr);
    };
    refused(&["--until-empty", "5m"], "flag --until-empty: ends a watch, and there is none");
    refused(&["--watch", "30s", "--limit", "5"], "flag --watch: contradicts the flag --limit");
    refused(&["--watch", "30s", "--only-prefix", "image/"], "flag --watch: contradicts the flag --only-prefix");
    refused(&["--watch", "0s"], "flag --watch: is zero");
    // The variable means the same to `status`, and nothing to others.
    let mut status = world.command(&world.database.url(), &["status"]);
    status.env("AVATAR_MIGRATE_WATCH", "1s").env("AVATAR_MIGRATE_LIMIT", "5");
    Running::start(status).ended().exits(0);
}
