//! `resolve`: what a person decides about twins that differ, on the record, and only about what was shown.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use avatar_migrate_kit::{Fault, Ignored, RequestSeen};

use crate::process::{Gate, once};
use crate::support::{Ended, World, content};

const KEY: &str = "image/avatar-1.png";
const TARGET: &str = "avatar/avatar-1.png";

/// A row whose target holds other bytes, and one that moves; copied once.
fn conflict() -> World {
    let world = World::new();
    world.avatars(2);
    world.put("production-s3", TARGET, content("another picture"));
    let copied = world.run(&["copy"]).exits(3);
    assert_eq!((copied.number("/objects/conflict"), copied.number("/rows/left")), (1, 1));
    world
}

fn resolve(world: &World, keep: &str) -> Ended {
    world.run(&["resolve", KEY, "--keep", keep, "--yes"])
}

#[test]
fn the_target_stays_and_its_rows_move_to_it() {
    let world = conflict();
    let before = world.s3.keys("production-s3");
    world.run(&["verify", "--report", "before.csv"]).exits(3);
    let line = &world.report("before.csv").into_iter().find(|line| line["status"] == "conflict").expect("a conflict");
    assert!(line["detail"].contains("avatarMigrate resolve KEY --keep source|target"), "{}", line["detail"]);

    let settled = resolve(&world, "target").exits(0);
    assert_eq!((settled.json["kept"].as_str(), settled.json["saved_as"].as_str()), (Some("target"), None));
    assert_eq!(settled.json["source"]["key"], KEY);
    assert_eq!(settled.json["target"]["size"].as_u64(), Some(content("another picture").len() as u64));
    assert_eq!(world.s3.keys("production-s3"), before, "nothing was written to a bucket");
    assert_eq!(world.run(&["copy"]).exits(0).number("/rows/updated"), 1);
    assert_eq!(world.body("production-s3", TARGET), Some(content("another picture")));

    world.run(&["verify", "--report", "out.csv"]).exits(0);
    let line = &world.report("out.csv").into_iter().find(|line| line["status"] == "superseded").expect("superseded");
    assert_eq!(line["proof"], "none");
    assert!(line["detail"].contains("root@") && line["detail"].contains("keep the target"), "{}", line["detail"]);
    let finalized = world.run(&["finalize", "--yes"]).exits(0);
    assert_eq!((finalized.number("/objects/deleted"), finalized.number("/objects/kept")), (1, 1));
    assert_eq!(world.body("legacy-s3", KEY), Some(content(KEY)), "the picture that lost is kept");
    let finalized = world.run(&["finalize", "--yes", "--delete-superseded"]).exits(0);
    assert_eq!(finalized.number("/objects/deleted"), 1);
}

#[test]
fn the_source_replaces_the_target_whose_bytes_are_put_aside() {
    let world = conflict();
    let settled = resolve(&world, "source").exits(0);
    let saved = settled.json["saved_as"].as_str().expect("a key").to_owned();
    assert!(saved.starts_with(".avatar-migrate/resolved-") && saved.ends_with(TARGET), "{saved}");
    assert_eq!(world.body("production-s3", &saved), Some(content("another picture")));
    assert_eq!(world.body("production-s3", TARGET), Some(content(KEY)));
    assert_eq!(world.s3.keys("production-s3").len(), 3, "no scratch is left: {:?}", world.s3.keys("production-s3"));
    world.run(&["copy"]).exits(0);
    world.every_row_resolves();
    world.run(&["verify", "--report", "out.csv"]).exits(0);
    assert_eq!(world.statuses("out.csv")["migrated"], 2);
    assert_eq!(world.run(&["finalize", "--yes"]).exits(0).number("/objects/deleted"), 2);
    world.every_row_resolves();
    assert_eq!(
        world.body("production-s3", &saved),
        Some(content("another picture")),
        "that stays until a person deletes it"
    );
}

/// A row that has moved, whose source was written afterwards.
#[test]
fn a_source_that_changed_after_its_rows_moved_is_settled_too() {
    for keep in ["source", "target"] {
        let world = World::new();
        world.avatars(2);
        world.run(&["copy"]).exits(0);
        world.put("legacy-s3", KEY, content("written late"));
        world.run(&["finalize", "--yes"]).exits(4);
        resolve(&world, keep).exits(0);
        let expected = if keep == "source" { "written late" } else { KEY };
        assert_eq!(world.body("production-s3", TARGET), Some(content(expected)));
        world.run(&["finalize", "--yes"]).exits(0);
        assert_eq!(world.body("production-s3", TARGET), Some(content(expected)));
        assert_eq!(world.body("legacy-s3", KEY).is_some(), keep == "target");
    }
}

#[test]
fn a_decision_counts_only_for_what_was_decided_about() {
    for (bucket, key) in [("legacy-s3", KEY), ("production-s3", TARGET)] {
        let world = conflict();
        resolve(&world, "target").exits(0);
        world.put(bucket, key, content("written since"));
        let copied = world.run(&["copy"]).exits(3);
        assert_eq!((copied.number("/objects/conflict"), copied.number("/rows/updated")), (1, 0));
        assert!(world.paths().contains(&KEY.to_owned()));
        world.run(&["verify", "--report", "out.csv"]).exits(3);
        assert_eq!(world.statuses("out.csv")["conflict"], 1);
        resolve(&world, "target").exits(0);
        world.run(&["copy"]).exits(0);
    }
    // Without the ledger nothing was decided: that is more cautious.
    let world = conflict();
    resolve(&world, "target").exits(0);
    world.drop_ledger();
    assert_eq!(world.run(&["copy"]).exits(3).number("/objects/conflict"), 1);
}

#[test]
fn what_changes_while_it_is_settled_is_not_overwritten() {
    // At the replacing copy itself, between putting aside and replacing, and before the decision is written.
    for (keep, operation, key, nth) in [
        ("source", "CopyObject", TARGET, 0),
        ("source", "HeadObject", ".avatar-migrate/resolved-", 0),
        ("target", "HeadObject", TARGET, 1),
    ] {
        let world = conflict();
        let met = AtomicU64::new(0);
        let at = move |seen: &RequestSeen| {
            let it = seen.operation == operation && seen.key.as_deref().is_some_and(|of| of.starts_with(key));
            it && met.fetch_add(1, Ordering::SeqCst) == nth
        };
        once(&world.s3, at, |s3| s3.put("production-s3", TARGET, content("by the application")));
        let refused = resolve(&world, keep).exits(4);
        world.s3.no_faults();
        assert!(refused.stderr.contains("changed meanwhile"), "{keep}: {}", refused.stderr);
        assert_eq!(world.body("production-s3", TARGET), Some(content("by the application")));
        assert_eq!(world.run(&["copy"]).exits(3).number("/objects/conflict"), 1);
    }
}

#[test]
fn killed_after_the_copy_it_converges() {
    let world = conflict();
    // The replacing copy is done, but the look at it never ends: killed there, nothing is recorded.
    let replaced = AtomicBool::new(false);
    world.s3.on_request(move |seen| match (seen.operation.as_str(), seen.key.as_deref()) {
        ("CopyObject", Some(TARGET)) => {
            replaced.store(true, Ordering::SeqCst);
            Fault::None
        }
        ("HeadObject", Some(TARGET)) if replaced.load(Ordering::SeqCst) => Fault::DelayMillis(60_000),
        _ => Fault::None,
    });
    let running = world.start(&["resolve", KEY, "--keep", "source", "--yes"]);
    crate::process::until("the target is replaced", || world.body("production-s3", TARGET) == Some(content(KEY)));
    running.kill();
    world.s3.no_faults();
    crate::process::until("the lock is free", || resolve(&world, "source").code != 5);
    let refused = resolve(&world, "source").exits(4);
    assert!(refused.stderr.contains("hold the same bytes"), "{}", refused.stderr);
    world.run(&["copy"]).exits(0);
    world.every_row_resolves();
}

#[test]
fn there_must_be_something_to_settle() {
    let world = conflict();
    let said = |arguments: &[&str], code: i32, reason: &str| {
        let ended = world.run(&[&["resolve"], arguments].concat()).exits(code);
        assert!(ended.stderr.contains(reason), "{reason}: {}", ended.stderr);
    };
    said(&[KEY, "--keep", "target"], 4, "no terminal");
    said(&[KEY, "--yes"], 2, "--keep");
    said(&["--keep", "target", "--yes"], 2, "a key");
    said(&[KEY, "--keep", "both", "--yes"], 2, "both");
    said(&[KEY, "--key", KEY, "--keep", "target"], 2, "give one");
    said(&["image/logo.png", "--keep", "target", "--yes"], 2, "in scope");
    said(&["image/avatar-0.png", "--keep", "target", "--yes"], 4, "same bytes");
    said(&["image/avatar-9.png", "--keep", "source", "--yes"], 4, "does not exist in legacy-s3");
    world.source("image/avatar-9.png");
    said(&["image/avatar-9.png", "--keep", "source", "--yes"], 4, "does not exist in production-s3");
    // The modern path of a row names the same object.
    said(&[TARGET, "--keep", "target", "--yes"], 0, "");
    world.run(&["copy"]).exits(0);
}

#[test]
fn where_conditions_are_ignored_nothing_is_replaced() {
    let world = conflict();
    for ignored in [Ignored::Target, Ignored::CopySource] {
        world.s3.ignore(&[ignored]);
        let refused = resolve(&world, "source").exits(4);
        assert!(refused.stderr.contains("ignores conditions"), "{}", refused.stderr);
        assert_eq!(world.body("production-s3", TARGET), Some(content("another picture")));
    }
    resolve(&world, "target").exits(0);
}

#[test]
fn hostile_and_long_keys_are_settled() {
    let long = format!("image/avatar-{}", "x".repeat(1000));
    for key in ["image/avatar-\u{202e} %2F+&='\".png", "image/ü/avatar-😀.png", &long] {
        for keep in ["source", "target"] {
            let world = World::new();
            world.source(key);
            world.rows(&[key]);
            world.put("production-s3", &key.replacen("image/", "avatar/", 1), content("other"));
            world.run(&["copy"]).exits(3);
            let settled = world.run(&["resolve", "--keep", keep, "--yes", "--format", "human", "--", key]).exits(0);
            assert!(!settled.stdout.contains('\u{202e}') && !settled.stderr.contains('\u{202e}'), "{}", settled.stdout);
            world.run(&["copy"]).exits(0);
            let aside =
                world.s3.keys("production-s3").into_iter().filter(|key| key.starts_with(".avatar-migrate/resolved-"));
            assert_eq!(aside.count(), usize::from(keep == "source"));
        }
    }
}

#[test]
fn a_second_run_is_locked_out() {
    let world = conflict();
    let gate = Gate::at(&world.s3, |seen| seen.operation == "HeadObject");
    let first = world.start(&["resolve", KEY, "--keep", "target", "--yes"]);
    gate.wait();
    assert_eq!(resolve(&world, "source").exits(5).json["command"], "resolve");
    gate.open();
    first.ended().exits(0);
}
