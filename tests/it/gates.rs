//! The gates of finalize: what it refuses, what it keeps, and what it says.

use crate::support::{Ended, World, content};

/// A refusal: exit 4, this reason in JSON and on standard error, a hint, nothing deleted.
#[track_caller]
fn refused(world: &World, arguments: &[&str], reason: &str) -> Ended {
    let before = world.s3.keys("legacy-s3");
    let ended = world.run(&[&["finalize", "--yes"], arguments].concat()).exits(4);
    assert_eq!(world.s3.keys("legacy-s3"), before, "nothing was deleted");
    assert!(ended.stderr.contains(reason) && ended.stderr.contains(" hint: "), "{reason}: {}", ended.stderr);
    assert_eq!(ended.json["finalizable"], false);
    let reasons = ended.json["reasons"].as_array().expect("reasons");
    assert!(reasons.iter().any(|said| said.as_str().is_some_and(|said| said.contains(reason))), "{}", ended.json);
    ended
}

fn copied(avatars: usize) -> World {
    let world = World::new();
    world.avatars(avatars);
    world.run(&["copy"]).exits(0);
    world
}

#[test]
fn zero_is_not_vacuous() {
    let world = World::new();
    world.source("image/avatar-1.png");
    world.rows(&["image/logo.png"]);
    refused(&world, &[], "no row of the schema holds");
    refused(&world, &["--orphans", "copy"], "no row of the schema holds");
    assert_eq!(world.s3.keys("production-s3"), [""; 0], "not even orphans were copied");
}

#[test]
fn another_bucket_than_that_of_the_last_copy() {
    let world = copied(3);
    for key in world.s3.keys("legacy-s3") {
        world.put("other-s3", &key, content(&key));
    }
    let ended = world.run(&["finalize", "--yes", "--source-bucket", "other-s3"]).exits(4);
    assert!(ended.stderr.contains("legacy-s3 -> production-s3"), "{}", ended.stderr);
    assert_eq!(world.s3.keys("other-s3").len(), 3);
    world.run(&["finalize", "--yes"]).exits(0);
}

#[test]
fn more_than_the_operator_expected() {
    let world = copied(5);
    refused(&world, &["--max-delete", "4"], "--max-delete 4");
    assert_eq!(world.run(&["finalize", "--yes", "--max-delete", "5"]).exits(0).number("/objects/deleted"), 5);
}

#[test]
fn the_time_of_grace() {
    let world = copied(3);
    refused(&world, &["--grace", "1h"], "--grace 1 h");
    // As if the first clean verify were two hours ago; a legacy row begins the time anew.
    let back = format!("UPDATE `{}`.am_migration SET clean_since = clean_since - INTERVAL 2 HOUR", world.ledger());
    world.sql(&back);
    world.rows(&["image/avatar-gone.png"]);
    world.run(&["verify", "--report", "out.csv"]).exits(3);
    world.sql("DELETE FROM avatars WHERE path LIKE 'image/%'");
    refused(&world, &["--grace", "1h"], "--grace 1 h");
    world.sql(&back);
    assert_eq!(world.run(&["finalize", "--yes", "--grace", "1h"]).exits(0).number("/objects/deleted"), 3);
}

#[test]
fn what_the_approved_report_does_not_hold() {
    let world = copied(9);
    world.run(&["verify", "--report", "old.csv"]).exits(0);
    world.source("image/avatar-9.png");
    world.rows(&["image/avatar-9.png"]);
    world.run(&["copy"]).exits(0);
    let ended = refused(&world, &["--approved", "old.csv"], "not in the approved report");
    assert!(ended.stderr.contains("image/avatar-9.png"), "{}", ended.stderr);
    world.run(&["verify", "--report", "new.csv"]).exits(0);
    assert_eq!(world.run(&["finalize", "--yes", "--approved", "new.csv"]).exits(0).number("/objects/deleted"), 10);
}

#[test]
fn an_approved_report_that_is_not_there_is_said_first() {
    let world = copied(3);
    world.source("image/avatar-orphan.png");
    let ended = world.run(&["finalize", "--yes", "--orphans", "copy", "--approved", "none.csv"]).exits(2);
    assert!(ended.stderr.contains("none.csv"), "{}", ended.stderr);
    assert_eq!(world.s3.keys("production-s3").len(), 3, "no orphan was copied");
}

#[test]
fn young_orphans_stay_for_a_later_run() {
    let world = copied(9);
    world.s3.put("legacy-s3", "image/avatar-young.png", content("image/avatar-young.png"));
    let ended = world.run(&["finalize", "--yes"]).exits(3);
    assert_eq!((ended.number("/objects/deleted"), ended.number("/objects/kept")), (9, 1));
    assert!(ended.stderr.contains("younger than 1 h"), "{}", ended.stderr);
    assert_eq!(world.s3.keys("legacy-s3"), ["image/avatar-young.png"]);
    let ended = world.run(&["finalize", "--yes", "--orphan-min-age", "0s"]).exits(0);
    assert_eq!((ended.number("/objects/deleted"), ended.number("/objects/orphans_copied")), (1, 1));
    assert_eq!(world.s3.keys("production-s3").len(), 10);
}

#[test]
fn many_orphans_hint_at_a_forgotten_table() {
    let world = copied(7);
    for name in ["a", "b", "c"] {
        world.source(&format!("image/avatar-{name}.png"));
    }
    refused(&world, &[], "3 of 10 objects in scope are orphans");
    let kept = world.run(&["finalize", "--yes", "--orphans", "keep"]).exits(0);
    assert_eq!((kept.number("/objects/deleted"), kept.number("/objects/kept")), (7, 3));
    assert_eq!(world.s3.keys("production-s3").len(), 7);
    let moved = world.run(&["finalize", "--yes", "--orphans", "copy"]).exits(0);
    assert_eq!((moved.number("/objects/deleted"), moved.number("/objects/orphans_copied")), (3, 3));
    assert_eq!(world.body("production-s3", "avatar/avatar-a.png"), Some(content("image/avatar-a.png")));
}

#[test]
fn a_refusal_comes_with_a_report_and_a_delete_with_a_manifest() {
    let world = copied(3);
    world.rows(&["image/avatar-gone.png"]);
    refused(&world, &["--report", "final.csv"], "1 legacy row is left");
    assert_eq!(world.statuses("final.csv")["missing_source"], 1);
    assert!(!world.directory.path().join("final.manifest.csv").exists());
    world.sql("DELETE FROM avatars WHERE path LIKE 'image/%'");
    world.run(&["finalize", "--yes", "--report", "final.csv"]).exits(0);
    let manifest = std::fs::read_to_string(world.directory.path().join("final.manifest.csv")).expect("a manifest");
    assert_eq!(manifest.lines().count(), 4);
    assert!(manifest.starts_with("bucket,key,etag\r\nlegacy-s3,image/avatar-0.png,"), "{manifest}");
}

#[test]
fn a_person_is_asked_in_vain_without_a_terminal() {
    let world = copied(3);
    let ended = world.run(&["finalize"]).exits(4);
    assert!(ended.stderr.contains("3 objects would be deleted") && ended.stderr.contains("--yes"), "{}", ended.stderr);
    assert_eq!(world.s3.keys("legacy-s3").len(), 3);
}

/// An access point or another host name: what is deleted by the one name is gone by the other.
#[test]
fn one_bucket_under_two_names_is_no_place_to_move_to() {
    let world = World::new();
    world.s3.alias_bucket("access-point", "legacy-s3");
    let names =
        ["--legacy-prefix", "https://old.example.org/avatar/", "--modern-prefix", "https://new.example.org/avatar/"];
    let here = [&names[..], &["--target-bucket", "access-point"]].concat();
    world.source("avatar/avatar-1.png");
    world.rows(&["https://old.example.org/avatar/avatar-1.png"]);
    let refused = world.run(&[&["copy"], &here[..]].concat()).exits(4);
    assert!(refused.stderr.contains("two names of one bucket"), "{}", refused.stderr);
    assert_eq!(world.paths(), ["https://old.example.org/avatar/avatar-1.png"]);
    // By hand it was done all the same.
    world.sql("UPDATE avatars SET path = 'https://new.example.org/avatar/avatar-1.png'");
    let refused = world.run(&[&["finalize", "--yes"], &here[..]].concat()).exits(4);
    assert!(refused.stderr.contains("two names of one bucket"), "{}", refused.stderr);
    assert_eq!(world.s3.keys("legacy-s3"), ["avatar/avatar-1.png"], "and no scratch object is left");
    // Two buckets with the same keys are as good as any.
    world.sql("UPDATE avatars SET path = 'https://old.example.org/avatar/avatar-1.png'");
    world.run(&[&["copy"], &names[..]].concat()).exits(0);
    world.run(&[&["finalize", "--yes"], &names[..]].concat()).exits(0);
    assert_eq!(world.s3.keys("legacy-s3"), [] as [&str; 0]);
}
