//! Promises 1, 3 and the grace clock between two steps: what the application does there, found by the model, is met.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use avatar_migrate_kit::{Fault, RequestSeen};

use crate::process::once;
use crate::support::{World, content};

/// Whether a request lists a bucket.
fn lists(request: &RequestSeen, bucket: &str) -> bool {
    request.operation == "ListObjectsV2" && request.bucket.as_deref() == Some(bucket)
}

/// Whether a key is one of the migration, not of its canaries.
fn is_picture(key: Option<&str>) -> bool {
    key.is_some_and(|key| key.contains("avatar-") && !key.starts_with(".avatar-migrate/"))
}

#[test]
fn a_copy_that_the_application_deletes_before_the_cutover_is_made_again() {
    let world = World::new();
    world.source("image/avatar-1.png");
    world.source("image/avatar-2.png");
    // The application deletes the picture by the modern path of another row, once all was copied and checked.
    world.target("avatar/avatar-1.png", "image/avatar-1.png");
    world.rows(&["image/avatar-1.png", "avatar/avatar-1.png", "image/avatar-2.png"]);
    let copied = AtomicBool::new(false);
    let after_check = move |request: &RequestSeen| {
        if request.operation == "CopyObject" && is_picture(request.key.as_deref()) {
            copied.store(true, Ordering::SeqCst);
        }
        // The first look at the sources after the copies is the second look.
        copied.load(Ordering::SeqCst) && lists(request, "legacy-s3")
    };
    once(&world.s3, after_check, |s3| {
        s3.remove("production-s3", "avatar/avatar-1.png");
    });
    world.run(&["copy"]).exits(0);
    world.s3.no_faults();
    world.every_row_resolves();
}

#[test]
fn a_picture_that_is_deleted_between_two_passes_stays_deleted() {
    let world = World::new();
    world.source("image/avatar-1.png");
    world.source("image/avatar-2.png");
    world.rows(&["image/avatar-1.png"]);
    let (met, database) = (AtomicBool::new(false), world.database.clone());
    // A row of old code makes a second pass necessary.
    let copies_in_second_pass = move |request: &RequestSeen| {
        let key = request.key.as_deref().filter(|_| request.operation == "CopyObject");
        if key == Some("avatar/avatar-1.png") && !met.swap(true, Ordering::SeqCst) {
            database.execute("INSERT INTO avatars (path) VALUES ('image/avatar-2.png')").expect("a late row");
        }
        key == Some("avatar/avatar-2.png")
    };
    let database = world.database.clone();
    once(&world.s3, copies_in_second_pass, move |s3| {
        database.execute("DELETE FROM avatars WHERE path = 'avatar/avatar-1.png'").expect("a delete");
        assert!(s3.remove("production-s3", "avatar/avatar-1.png"), "the first pass has copied it");
    });
    world.run(&["copy"]).exits(0);
    world.s3.no_faults();
    assert_eq!(world.s3.keys("production-s3"), ["avatar/avatar-2.png"], "what the application deletes stays deleted");
    world.run(&["finalize", "--yes", "--orphans", "copy"]).exits(0);
    assert_eq!(world.s3.keys("production-s3"), ["avatar/avatar-2.png"]);
}

#[test]
fn a_picture_that_is_overwritten_and_deleted_around_the_cutover_stays_deleted() {
    let world = World::new();
    world.source("image/avatar-1.png");
    world.rows(&["image/avatar-1.png"]);
    let (copied, looks) = (AtomicBool::new(false), AtomicU64::new(0));
    let third_look = move |request: &RequestSeen| {
        copied.fetch_or(request.operation == "CopyObject" && is_picture(request.key.as_deref()), Ordering::SeqCst);
        copied.load(Ordering::SeqCst) && lists(request, "legacy-s3") && looks.fetch_add(1, Ordering::SeqCst) == 1
    };
    let database = world.database.clone();
    once(&world.s3, third_look, move |s3| {
        s3.put("legacy-s3", "image/avatar-1.png", content("by old code"));
        database.execute("DELETE FROM avatars WHERE path = 'avatar/avatar-1.png'").expect("a delete");
        assert!(s3.remove("production-s3", "avatar/avatar-1.png"), "the row has moved");
    });
    world.run(&["copy"]).exits(0);
    world.s3.no_faults();
    assert_eq!(world.s3.keys("production-s3"), [""; 0], "what the application deletes stays deleted");
}

/// The same a moment later: the look after COMMIT still found the copy, and its replacement finds none.
#[test]
fn a_picture_that_is_deleted_before_its_copy_is_replaced_stays_deleted() {
    let world = World::new();
    world.source("image/avatar-1.png");
    world.rows(&["image/avatar-1.png"]);
    let (database, s3) = (world.database.clone(), Arc::downgrade(&world.s3));
    let (copied, looks) = (AtomicBool::new(false), AtomicU64::new(0));
    world.s3.on_request(move |request: &RequestSeen| {
        let s3 = s3.upgrade().expect("the server");
        copied.fetch_or(request.operation == "CopyObject" && is_picture(request.key.as_deref()), Ordering::SeqCst);
        let third =
            copied.load(Ordering::SeqCst) && lists(request, "legacy-s3") && looks.fetch_add(1, Ordering::SeqCst) == 1;
        if third {
            s3.put("legacy-s3", "image/avatar-1.png", content("by old code"));
        }
        let looked = looks.load(Ordering::SeqCst) > 1 && request.operation == "HeadObject";
        if looked && request.key.as_deref() == Some("avatar/avatar-1.png") {
            database.execute("DELETE FROM avatars WHERE path = 'avatar/avatar-1.png'").expect("a delete");
            s3.remove("production-s3", "avatar/avatar-1.png");
        }
        Fault::None
    });
    world.run(&["copy"]).exits(0);
    world.s3.no_faults();
    assert_eq!(world.s3.keys("production-s3"), [""; 0], "what the application deletes stays deleted");
}

#[test]
fn a_source_that_comes_back_before_the_cutover_is_not_passed_over() {
    let world = World::new();
    world.source("image/avatar-1.png");
    world.rows(&["image/avatar-1.png"]);
    world.run(&["copy"]).exits(0);
    world.run(&["finalize", "--yes"]).exits(0);
    // A late row of old code; its new picture arrives while the run is between check and cutover.
    world.rows(&["image/avatar-1.png"]);
    let heads = AtomicU64::new(0);
    let second_look = move |request: &RequestSeen| {
        let looked = request.operation == "HeadObject" && request.key.as_deref() == Some("image/avatar-1.png");
        looked && heads.fetch_add(1, Ordering::SeqCst) == 1
    };
    once(&world.s3, second_look, |s3| s3.put("legacy-s3", "image/avatar-1.png", content("new")));
    world.run(&["copy"]).exits(3);
    world.s3.no_faults();
    assert!(world.paths().contains(&"image/avatar-1.png".to_owned()), "the row stays with its new picture");
}

#[test]
fn a_source_written_after_its_copy_is_not_superseded() {
    let world = World::new();
    world.source("image/avatar-1.png");
    world.rows(&["image/avatar-1.png"]);
    world.run(&["copy"]).exits(0);
    // New code replaces the picture, then old code with a path it still knows does so again: that one is the newest.
    world.put("production-s3", "avatar/avatar-1.png", content("by new code"));
    world.put("legacy-s3", "image/avatar-1.png", content("by old code, later"));
    let refused = world.run(&["finalize", "--yes", "--delete-superseded"]).exits(4);
    assert!(refused.stdout.contains("no copies") || refused.stdout.contains("no copy"), "{}", refused.stdout);
    assert_eq!(world.body("legacy-s3", "image/avatar-1.png"), Some(content("by old code, later")));
    world.run(&["verify", "--report", "out.csv"]).exits(3);
    assert_eq!(world.statuses("out.csv")["source_changed"], 1);
}

#[test]
fn an_orphan_that_is_uploaded_again_while_it_is_copied_stays() {
    let world = World::new();
    world.source("image/avatar-1.png");
    world.rows(&["image/avatar-1.png"]);
    world.run(&["copy"]).exits(0);
    world.source("image/avatar-2.png");
    // The upload of old code whose row is not written yet.
    let copied = |request: &RequestSeen| {
        request.operation == "CopyObject" && request.key.as_deref() == Some("avatar/avatar-2.png")
    };
    once(&world.s3, copied, |s3| s3.put("legacy-s3", "image/avatar-2.png", content("uploaded")));
    let finalized = world.run(&["finalize", "--yes", "--orphans", "copy"]).exits(3);
    world.s3.no_faults();
    assert_eq!(finalized.number("/objects/deleted"), 1);
    assert_eq!(world.body("legacy-s3", "image/avatar-2.png"), Some(content("uploaded")));
    world.rows(&["image/avatar-2.png"]);
    world.run(&["copy"]).exits(0);
    assert_eq!(world.body("production-s3", "avatar/avatar-2.png"), Some(content("uploaded")));
}

#[test]
fn legacy_rows_that_only_copy_meets_begin_the_grace_period_anew() {
    let world = World::new();
    world.source("image/avatar-1.png");
    world.rows(&["image/avatar-1.png"]);
    world.run(&["copy"]).exits(0);
    world.run(&["verify", "--report", "out.csv"]).exits(0);
    std::thread::sleep(Duration::from_millis(2100));
    world.rows(&["image/avatar-1.png"]);
    world.run(&["copy"]).exits(0);
    let refused = world.run(&["finalize", "--yes", "--grace", "2s"]).exits(4);
    assert!(refused.stdout.contains("--grace"), "{}", refused.stdout);
    assert_eq!(world.s3.keys("legacy-s3").len(), 1);
}

#[test]
fn a_deleted_picture_stays_deleted_though_a_killed_run_had_planned_it_again() {
    let world = World::new();
    for key in ["image/avatar-1.png", "image/avatar-2.png"] {
        world.source(key);
        world.rows(&[key]);
    }
    world.run(&["copy"]).exits(0);
    world.sql(&format!("UPDATE `{}`.am_object SET state = 'planned'", world.ledger()));
    world.sql("DELETE FROM avatars WHERE path = 'avatar/avatar-1.png'");
    world.s3.remove("production-s3", "avatar/avatar-1.png");
    world.run(&["finalize", "--yes", "--orphans", "copy"]).exits(0);
    assert_eq!(world.s3.keys("production-s3"), ["avatar/avatar-2.png"]);
    assert_eq!(world.s3.keys("legacy-s3"), ["image/avatar-1.png"]);
}

/// It was not looked at again in the pass that meets it: its source may have been written since.
#[test]
fn a_row_that_comes_back_to_the_path_of_an_earlier_pass_waits_for_the_next_one() {
    let world = World::new();
    world.source("image/avatar-1.png");
    world.source("image/avatar-2.png");
    world.rows(&["image/avatar-1.png"]);
    let (database, s3) = (world.database.clone(), Arc::downgrade(&world.s3));
    let (copies, waited) = (AtomicU64::new(0), Arc::new(AtomicBool::new(false)));
    let seen = Arc::clone(&waited);
    world.s3.on_request(move |request: &RequestSeen| {
        let insert = |path: &str| database.execute(&format!("INSERT INTO avatars (path) VALUES ('{path}')"));
        match request.key.as_deref().filter(|_| request.operation == "CopyObject") {
            // A row of old code makes a second pass necessary.
            Some("avatar/avatar-1.png") if copies.fetch_add(1, Ordering::SeqCst) == 0 => {
                insert("image/avatar-2.png").expect("a late row");
            }
            // Its copy is replaced: the row that came back must still be a legacy one.
            Some("avatar/avatar-1.png") => {
                let back = "BEGIN NOT ATOMIC IF NOT EXISTS (SELECT 1 FROM avatars WHERE path = 'image/avatar-1.png') THEN \
                            SIGNAL SQLSTATE '45000'; END IF; END";
                seen.store(database.execute(back).is_ok(), Ordering::SeqCst);
            }
            // In the second pass old code writes a new picture under the old path, and a row.
            Some("avatar/avatar-2.png") => {
                let s3 = s3.upgrade().expect("the server");
                s3.put("legacy-s3", "image/avatar-1.png", content("a new picture"));
                insert("image/avatar-1.png").expect("a row that comes back");
            }
            Some(_) | None => {}
        }
        Fault::None
    });
    let copied = world.run(&["copy"]).exits(0);
    world.s3.no_faults();
    assert_eq!(copied.number("/passes"), 3);
    assert!(waited.load(Ordering::SeqCst), "the row moved before its object was looked at");
    assert_eq!(world.paths(), ["avatar/avatar-1.png", "avatar/avatar-1.png", "avatar/avatar-2.png"]);
    assert!(world.body("production-s3", "avatar/avatar-1.png") == Some(content("a new picture")), "the newest picture");
}
