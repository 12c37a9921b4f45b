//! Promise 6 between COMMIT and the look after it: what a run that was cut off there leaves, the next one settles, and
//! nobody has to decide; what is in production by then belongs to the application.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use avatar_migrate_kit::{Fault, ObjectHeaders, RequestSeen};

use crate::process::{Gate, until};
use crate::support::{World, content};

const SOURCE: &str = "image/avatar-1.png";
const TARGET: &str = "avatar/avatar-1.png";
const AVATARS: u64 = 3;

/// Whether a request makes the copy in question.
fn copies(request: &RequestSeen) -> bool {
    matches!(request.operation.as_str(), "CopyObject" | "PutObject") && request.key.as_deref() == Some(TARGET)
}

/// Tells the first request of the look after COMMIT: the second listing of the sources after the first copy.
fn third_look() -> impl Fn(&RequestSeen) -> bool + Send + Sync + 'static {
    let (copied, looks) = (AtomicBool::new(false), AtomicU64::new(0));
    move |request| {
        copied.fetch_or(copies(request), Ordering::SeqCst);
        let looks_at_sources = request.operation == "ListObjectsV2" && request.bucket.as_deref() == Some("legacy-s3");
        copied.load(Ordering::SeqCst) && looks_at_sources && looks.fetch_add(1, Ordering::SeqCst) == 1
    }
}

/// A world whose run of `copy` was killed right after its COMMIT.
fn killed_after_commit(arguments: &[&str]) -> World {
    let world = World::new();
    world.avatars(usize::try_from(AVATARS).expect("few"));
    let gate = Gate::at(&world.s3, third_look());
    let running = world.start(&[&["copy"], arguments].concat());
    gate.wait();
    running.kill();
    gate.open();
    world.s3.no_faults();
    assert!(world.paths().iter().all(|path| path.starts_with("avatar/")), "the rows have moved");
    world
}

/// The same, with the picture written by old code in that instant.
fn killed_and_written(arguments: &[&str]) -> World {
    let world = killed_after_commit(arguments);
    // Not `World::put`, whose objects are hours old.
    world.s3.put("legacy-s3", SOURCE, content("newer"));
    world
}

#[track_caller]
fn production_holds(world: &World, text: &str) {
    assert!(world.body("production-s3", TARGET) == Some(content(text)), "production does not hold {text}");
}

#[track_caller]
fn verify_says(world: &World, code: i32, statuses: &[(&str, usize)]) {
    world.run(&["verify", "--report", "out.csv"]).exits(code);
    let expected: BTreeMap<String, usize> = statuses.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect();
    assert_eq!(world.statuses("out.csv"), expected);
}

/// The next `copy` settles it, and finalize finds nothing in its way.
#[track_caller]
fn it_is_settled(world: &World, arguments: &[&str]) {
    let copied = world.run(&[&["copy"], arguments].concat()).exits(0);
    assert_eq!(copied.number("/objects/copied"), 1, "{}", copied.json);
    assert_eq!(copied.number("/objects/source_changed"), 0);
    production_holds(world, "newer");
    verify_says(world, 0, &[("migrated", 3)]);
    assert_eq!(world.run(&["finalize", "--yes"]).exits(0).number("/objects/deleted"), AVATARS);
}

#[test]
fn what_was_written_in_that_instant_is_copied_by_the_next_run() {
    for arguments in [&[][..], &["--method", "stream"], &["--transaction-rows", "1"]] {
        it_is_settled(&killed_and_written(arguments), arguments);
    }
}

#[test]
fn it_is_settled_though_legacy_rows_are_left_too() {
    let world = killed_and_written(&[]);
    world.rows(&[SOURCE]);
    world.run(&["copy"]).exits(0);
    production_holds(&world, "newer");
    verify_says(&world, 0, &[("migrated", 4)]);
}

#[test]
fn however_often_it_is_killed() {
    let world = killed_and_written(&[]);
    // Before its copy is replaced, then after that (a request that was sent is carried out) but before the ledger knows.
    for at in [|request: &RequestSeen| request.operation == "HeadObject", copies] {
        let gate = Gate::at(&world.s3, move |request| request.key.as_deref() == Some(TARGET) && at(request));
        let running = world.start(&["copy"]);
        gate.wait();
        running.kill();
        gate.open();
    }
    until("the copy is replaced", || world.body("production-s3", TARGET) == Some(content("newer")));
    world.s3.no_faults();
    production_holds(&world, "newer");
    assert_eq!(world.run(&["copy"]).exits(0).number("/objects/already_there"), 1);
    verify_says(&world, 0, &[("migrated", 3)]);
}

#[test]
fn once_a_run_has_signed_off_no_other_one_looks_there() {
    let world = killed_after_commit(&[]);
    let caught_up = world.run(&["copy"]).exits(0);
    assert_eq!(caught_up.number("/objects/copied"), 0);
    assert_eq!(caught_up.number("/requests/put"), 0, "no canary where there is nothing to copy");
    let next = world.run(&["copy"]).exits(0);
    assert_eq!(next.number("/requests/list") + next.number("/requests/head"), 0, "{}", next.json);
    // What is written now, the third look of no run would have met: that is for a person.
    world.s3.put("legacy-s3", SOURCE, content("long after"));
    world.run(&["copy"]).exits(0);
    production_holds(&world, SOURCE);
    verify_says(&world, 3, &[("migrated", 2), ("source_changed", 1)]);
}

#[test]
fn a_run_that_was_killed_before_its_cutover_leaves_nothing_to_look_at() {
    let world = World::new();
    world.avatars(usize::try_from(AVATARS).expect("few"));
    let gate = Gate::at(&world.s3, copies);
    let running = world.start(&["copy"]);
    gate.wait();
    running.kill();
    gate.open();
    let copied = world.run(&["copy", "-v"]).exits(0);
    assert!(!copied.stderr.contains("was cut off"), "{}", copied.stderr);
    let world = killed_after_commit(&[]);
    let caught_up = world.run(&["copy", "-v"]).exits(0);
    assert!(caught_up.stderr.contains("run 1 was cut off"), "{}", caught_up.stderr);
}

#[test]
fn what_the_application_has_deleted_meanwhile_stays_deleted() {
    let world = killed_and_written(&[]);
    world.sql(&format!("DELETE FROM avatars WHERE path = '{TARGET}'"));
    world.s3.remove("production-s3", TARGET);
    world.run(&["copy"]).exits(0);
    assert_eq!(world.s3.keys("production-s3"), ["avatar/avatar-0.png", "avatar/avatar-2.png"]);
}

/// The same a moment later: the look still finds the copy, and its replacement finds none.
#[test]
fn what_the_application_deletes_in_the_middle_stays_deleted() {
    let world = killed_and_written(&[]);
    let gate = Gate::at(&world.s3, copies);
    let running = world.start(&["copy"]);
    gate.wait();
    world.sql(&format!("DELETE FROM avatars WHERE path = '{TARGET}'"));
    world.s3.remove("production-s3", TARGET);
    gate.open();
    running.ended().exits(0);
    assert_eq!(world.s3.keys("production-s3"), ["avatar/avatar-0.png", "avatar/avatar-2.png"]);
}

#[test]
fn what_the_application_has_written_to_production_is_left_alone() {
    let world = killed_after_commit(&[]);
    world.s3.put("production-s3", TARGET, content("by new code"));
    world.run(&["copy"]).exits(0);
    production_holds(&world, "by new code");
    verify_says(&world, 0, &[("migrated", 2), ("superseded", 1)]);
    // Written on both sides, only a person can tell which one counts.
    let world = killed_and_written(&[]);
    world.s3.put("production-s3", TARGET, content("by new code"));
    assert_eq!(world.run(&["copy"]).exits(3).number("/objects/source_changed"), 1);
    production_holds(&world, "by new code");
    verify_says(&world, 3, &[("migrated", 2), ("source_changed", 1)]);
}

/// The very bytes of our copy, with its ETag, but written after the source was.
#[test]
fn what_the_application_has_set_back_in_production_is_left_alone() {
    let world = killed_and_written(&[]);
    world.s3.put_with("production-s3", TARGET, content(SOURCE), ObjectHeaders::default(), |object| {
        object.last_modified += Duration::from_secs(2);
    });
    assert_eq!(world.run(&["copy"]).exits(3).number("/objects/source_changed"), 1);
    production_holds(&world, SOURCE);
}

#[test]
fn what_a_person_has_decided_meanwhile_stands() {
    let world = killed_and_written(&[]);
    world.run(&["resolve", SOURCE, "--keep", "target", "--yes"]).exits(0);
    world.run(&["copy"]).exits(0);
    production_holds(&world, SOURCE);
    verify_says(&world, 0, &[("migrated", 2), ("superseded", 1)]);
}

#[test]
fn a_run_whose_third_look_failed_is_caught_up_too() {
    // It could not be made at all, or the copy failed that it found necessary.
    for (code, fails) in [(1, "ListObjectsV2"), (3, "CopyObject")] {
        let world = World::new();
        world.avatars(usize::try_from(AVATARS).expect("few"));
        let (is_third_look, reached) = (third_look(), AtomicBool::new(false));
        let s3 = std::sync::Arc::downgrade(&world.s3);
        world.s3.on_request(move |request| {
            if is_third_look(request) {
                reached.store(true, Ordering::SeqCst);
                s3.upgrade().expect("the server").put("legacy-s3", SOURCE, content("newer"));
            }
            match reached.load(Ordering::SeqCst) && request.operation == fails {
                true => Fault::Status(403, "AccessDenied".to_owned()),
                false => Fault::None,
            }
        });
        world.run(&["copy"]).exits(code);
        world.s3.no_faults();
        production_holds(&world, SOURCE);
        it_is_settled(&world, &[]);
    }
}
