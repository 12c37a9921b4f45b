//! Servers that stumble: an answer is never taken for the truth where the buckets can be asked.

use avatar_migrate_kit::{Fault, RequestSeen};

use crate::process::once;
use crate::support::{Ended, World, content};

const AVATARS: usize = 12;

/// `copy` with a hook; then the promises hold.
fn copy_under(hook: impl Fn(&RequestSeen) -> Fault + Send + Sync + 'static) -> (World, Ended) {
    let world = World::new();
    world.avatars(AVATARS);
    world.s3.reset_requests();
    world.s3.on_request(hook);
    let ended = world.run(&["copy"]);
    world.s3.no_faults();
    world.every_row_resolves();
    assert_eq!(world.s3.keys("legacy-s3").len(), AVATARS);
    (world, ended)
}

#[track_caller]
fn everything_moved(world: &World, ended: Ended) {
    let ended = ended.exits(0);
    assert_eq!(ended.number("/rows/updated"), AVATARS as u64);
    assert_eq!(ended.number("/objects/conflict"), 0);
    assert_eq!(ended.number("/objects/copied") + ended.number("/objects/already_there"), AVATARS as u64);
    world.run(&["verify", "--report", "out.csv"]).exits(0);
}

fn is_copy(request: &RequestSeen) -> bool {
    request.operation == "CopyObject"
}

#[test]
fn a_storm_of_503_is_ridden_out() {
    let slow_down = |request: &RequestSeen| match request.nth % 3 {
        0 => Fault::None,
        _ => Fault::Status(503, "SlowDown".to_owned()),
    };
    let (world, ended) = copy_under(slow_down);
    everything_moved(&world, ended);
}

#[test]
fn dropped_connections_are_tried_again() {
    let (world, ended) = copy_under(|request| if request.nth % 3 == 1 { Fault::DropConnection } else { Fault::None });
    everything_moved(&world, ended);
}

#[test]
fn a_copy_whose_answer_is_lost_is_no_conflict() {
    // The repetition by the SDK then meets the copy that the first attempt made: 412.
    let (world, ended) = copy_under(|request| if is_copy(request) { Fault::AnswerLost } else { Fault::None });
    everything_moved(&world, ended);
}

#[test]
fn an_empty_answer_to_a_copy_says_nothing() {
    let (world, ended) = copy_under(|request| if is_copy(request) { Fault::EmptyAnswer } else { Fault::None });
    everything_moved(&world, ended);
}

#[test]
fn an_error_inside_a_200_is_an_error() {
    let once_each = |request: &RequestSeen| match is_copy(request) && request.nth % 2 == 1 {
        true => Fault::ErrorInAnswer("InternalError".to_owned()),
        false => Fault::None,
    };
    let (world, ended) = copy_under(once_each);
    everything_moved(&world, ended);
}

#[test]
fn a_forbidden_object_is_left_and_the_others_move() {
    let forbidden =
        |request: &RequestSeen| match is_copy(request) && request.key.as_deref() == Some("avatar/avatar-5.png") {
            true => Fault::Status(403, "AccessDenied".to_owned()),
            false => Fault::None,
        };
    let (world, ended) = copy_under(forbidden);
    let ended = ended.exits(3);
    assert_eq!(ended.number("/objects/failed"), 1);
    assert_eq!(ended.number("/objects/copied"), AVATARS as u64 - 1);
    assert_eq!(ended.number("/rows/updated"), AVATARS as u64 - 1);
    assert_eq!(ended.number("/rows/left"), 1);
    assert!(ended.stderr.contains("image/avatar-5.png") && ended.stderr.contains("s3:GetObject"), "{}", ended.stderr);
    world.run(&["finalize", "--yes"]).exits(4);
    assert_eq!(world.run(&["copy"]).exits(0).number("/rows/updated"), 1);
}

#[test]
fn a_listing_that_fails_fails_the_command() {
    let world = World::new();
    world.avatars(3);
    world.run(&["copy"]).exits(0);
    // The probes of both buckets pass, the listings do not.
    world.s3.reset_requests();
    world.s3.on_request(|request| match request.operation == "ListObjectsV2" && request.nth > 2 {
        true => Fault::Status(403, "AccessDenied".to_owned()),
        false => Fault::None,
    });
    for arguments in [&["verify", "--report", "out.csv"][..], &["finalize", "--yes"]] {
        world.s3.reset_requests();
        let ended = world.run(arguments).exits(1);
        assert!(ended.stderr.contains("s3:ListBucket"), "{}", ended.stderr);
    }
    assert_eq!(world.s3.keys("legacy-s3").len(), 3);
}

#[test]
fn credentials_that_expire_while_objects_are_compared_fail_the_command() {
    let world = World::new();
    world.avatars(3);
    world.run(&["copy"]).exits(0);
    world.s3.on_request(|request| match request.operation == "GetObject" {
        true => Fault::Status(400, "ExpiredToken".to_owned()),
        false => Fault::None,
    });
    // No object is at fault: a report that calls each of them a mismatch would send people looking there.
    let ended = world.run(&["verify", "--report", "out.csv", "--check", "sha256"]).exits(1);
    assert!(ended.stderr.contains("ExpiredToken"), "{}", ended.stderr);
    assert!(!world.directory.path().join("out.csv").exists());
    assert!(world.run(&["finalize", "--yes", "--check", "sha256"]).exits(1).stderr.contains("ExpiredToken"));
    assert_eq!(world.s3.keys("legacy-s3").len(), 3);
}

#[test]
fn deletes_that_fail_are_counted_and_tried_again_by_the_next_run() {
    let world = World::new();
    world.avatars(3);
    world.run(&["copy"]).exits(0);
    world.s3.reset_requests();
    world.s3.on_request(|request| match (request.operation.as_str(), request.nth) {
        ("DeleteObjects", 1..=2) => Fault::AnswerLost,
        ("DeleteObjects", 3) => Fault::Status(503, "SlowDown".to_owned()),
        (_, _) => Fault::None,
    });
    let ended = world.run(&["finalize", "--yes"]);
    world.s3.no_faults();
    assert!(ended.code == 0 || ended.code == 3, "{}", ended.stderr);
    assert_eq!(world.run(&["finalize", "--yes"]).exits(0).json["finalizable"], true);
    assert_eq!(world.s3.keys("legacy-s3"), [""; 0]);
    world.every_row_resolves();
}

#[test]
fn a_source_overwritten_after_the_listing_is_copied_as_it_is_now() {
    let world = World::new();
    world.avatars(3);
    once(&world.s3, is_copy, |s3| s3.put("legacy-s3", "image/avatar-1.png", content("newer")));
    world.run(&["copy", "--concurrency", "1"]).exits(0);
    assert_eq!(world.body("production-s3", "avatar/avatar-1.png"), Some(content("newer")));
    world.run(&["verify", "--report", "out.csv"]).exits(0);
}

#[test]
fn a_source_overwritten_between_copy_and_cutover_is_copied_again() {
    let world = World::new();
    world.avatars(4);
    world.target("avatar/avatar-0.png", "image/avatar-0.png");
    world.s3.reset_requests();
    // The last copy is made: the object copied first changes now.
    once(
        &world.s3,
        |request| is_copy(request) && request.nth == 3,
        |s3| s3.put("legacy-s3", "image/avatar-1.png", content("newer")),
    );
    let copied = world.run(&["copy", "--concurrency", "1"]).exits(0);
    assert_eq!(world.body("production-s3", "avatar/avatar-1.png"), Some(content("newer")));
    assert_eq!(copied.number("/objects/planned"), 4);
    assert_eq!(copied.number("/objects/copied"), 3, "an object that was copied twice is one object");
    assert_eq!(copied.number("/objects/already_there"), 1);
    world.run(&["verify", "--report", "out.csv"]).exits(0);
}

#[test]
fn a_found_target_whose_source_changes_is_never_overwritten() {
    let world = World::new();
    world.avatars(2);
    world.target("avatar/avatar-0.png", "image/avatar-0.png");
    once(&world.s3, is_copy, |s3| s3.put("legacy-s3", "image/avatar-0.png", content("newer")));
    let copied = world.run(&["copy"]).exits(3);
    assert_eq!(copied.number("/objects/source_changed") + copied.number("/objects/conflict"), 1);
    assert_eq!(world.body("production-s3", "avatar/avatar-0.png"), Some(content("image/avatar-0.png")));
    assert_eq!(world.paths(), ["avatar/avatar-1.png", "image/avatar-0.png"]);
    world.run(&["finalize", "--yes"]).exits(4);
}

#[test]
fn a_target_made_by_another_in_between_is_judged_by_its_content() {
    for (theirs, code) in [("image/avatar-1.png", 0), ("something else", 3)] {
        let world = World::new();
        world.avatars(2);
        once(
            &world.s3,
            |request| is_copy(request) && request.key.as_deref() == Some("avatar/avatar-1.png"),
            move |s3| s3.put("production-s3", "avatar/avatar-1.png", content(theirs)),
        );
        let copied = world.run(&["copy"]).exits(code);
        assert_eq!(world.body("production-s3", "avatar/avatar-1.png"), Some(content(theirs)), "never overwritten");
        assert_eq!(copied.number("/objects/conflict"), u64::from(code == 3));
        assert_eq!(copied.number("/objects/already_there"), u64::from(code == 0));
        world.every_row_resolves();
    }
}

#[test]
fn a_source_that_changes_after_the_cutover_is_never_deleted_unseen() {
    let world = World::new();
    world.avatars(3);
    world.run(&["copy"]).exits(0);
    // Written right before the delete: the condition keeps it.
    once(
        &world.s3,
        |request| request.operation == "DeleteObjects",
        |s3| s3.put("legacy-s3", "image/avatar-1.png", content("late")),
    );
    let finalized = world.run(&["finalize", "--yes"]).exits(3);
    assert_eq!(finalized.number("/objects/changed"), 1);
    assert_eq!(finalized.number("/objects/deleted"), 2);
    assert_eq!(world.body("legacy-s3", "image/avatar-1.png"), Some(content("late")));
    // It differs now, and says so.
    world.s3.no_faults();
    world.run(&["verify", "--report", "out.csv"]).exits(3);
    assert_eq!(world.statuses("out.csv")["source_changed"], 1);
    world.run(&["finalize", "--yes"]).exits(4);
    assert_eq!(world.s3.keys("legacy-s3"), ["image/avatar-1.png"]);
}
