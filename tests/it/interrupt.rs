//! SIGINT and SIGTERM: what is in flight is finished, the state is consistent, the same command continues.

use crate::again::until_a_cutover_waits;
use crate::process::{Gate, until};
use crate::support::World;

#[test]
fn the_copy_in_flight_is_finished_and_the_run_ends_with_130() {
    for signal in ["INT", "TERM"] {
        let world = World::new();
        world.avatars(30);
        let gate = Gate::nth(&world.s3, "CopyObject", 9);
        let mut running = world.start(&["copy", "--concurrency", "1"]);
        gate.wait();
        running.signal(signal);
        until("it says that it was interrupted", || running.has_said("interrupted: finishing"));
        let before = world.s3.keys("production-s3").len() as u64;
        gate.open();
        let ended = running.ended().exits(130);
        assert!(ended.stderr.contains("run the same command again"), "{}", ended.stderr);
        assert_eq!(ended.stdout, "", "JSON is for exits 0, 3, 4 and 5");
        let copied = world.s3.keys("production-s3").len() as u64;
        assert!(copied > before, "the copy in flight was finished");
        assert!(copied < 30, "no new one was begun");
        world.every_row_resolves();

        let continued = world.run(&["copy"]).exits(0);
        assert_eq!(continued.number("/rows/updated"), 30);
        assert_eq!(continued.number("/objects/already_there"), copied, "nothing is copied twice");
        world.every_row_resolves();
    }
}

#[test]
fn a_second_signal_stops_at_once() {
    let world = World::new();
    world.avatars(5);
    let gate = Gate::nth(&world.s3, "CopyObject", 2);
    let mut running = world.start(&["copy", "--concurrency", "1"]);
    gate.wait();
    running.signal("INT");
    until("it says that it was interrupted", || running.has_said("interrupted: finishing"));
    running.signal("TERM");
    // The request still waits for the gate: only a program that does not wait for it can end.
    running.ended().exits(130);
    gate.open();
    world.every_row_resolves();
    world.run(&["copy"]).exits(0);
}

#[test]
fn a_cutover_in_flight_completes() {
    let world = World::new();
    world.avatars(5);
    let blocker = world.hold_row(3);
    let mut running = world.start(&["copy"]);
    until_a_cutover_waits(&world, "avatars");
    running.signal("TERM");
    until("it says that it was interrupted", || running.has_said("interrupted: finishing"));
    drop(blocker);
    let code = running.ended().code;
    // Nothing was left to do after it, so that it may call itself done.
    assert!(code == 130 || code == 0, "{code}");
    let modern = world.paths().iter().filter(|path| path.starts_with("avatar/")).count();
    assert!(modern == 0 || modern == 5, "all or none, not {modern}");
    world.every_row_resolves();
    world.run(&["copy"]).exits(0);
    world.every_row_resolves();
}

/// Pieces of a large table take hours: the one in flight completes, and no other is begun.
#[test]
fn a_cutover_in_pieces_stops_between_two_of_them() {
    let world = World::new();
    world.avatars(6);
    let blocker = world.hold_row(4);
    let mut running = world.start(&["copy", "--transaction-rows", "2"]);
    until("the first piece has moved", || world.paths().iter().any(|path| path.starts_with("avatar/")));
    until_a_cutover_waits(&world, "avatars");
    running.signal("INT");
    until("it says that it was interrupted", || running.has_said("interrupted: finishing"));
    drop(blocker);
    running.ended().exits(130);
    assert_eq!(world.paths().iter().filter(|path| path.starts_with("image/")).count(), 2);
    world.every_row_resolves();
    assert_eq!(world.run(&["copy"]).exits(0).number("/rows/updated"), 2);
    world.every_row_resolves();
}

#[test]
fn verify_ends_without_a_report() {
    let world = World::new();
    world.avatars(3);
    let gate = Gate::nth(&world.s3, "ListObjectsV2", 3);
    let mut running = world.start(&["verify", "--report", "out.csv"]);
    gate.wait();
    running.signal("INT");
    until("it says that it was interrupted", || running.has_said("interrupted: finishing"));
    gate.open();
    running.ended().exits(130);
    let left: Vec<_> = std::fs::read_dir(world.directory.path()).expect("a directory").collect();
    assert!(left.is_empty(), "neither a report nor a part of one: {left:?}");
    world.run(&["verify", "--report", "out.csv"]).exits(3);
}

#[test]
fn finalize_stops_between_batches_and_continues() {
    let world = World::new();
    world.avatars(3);
    world.run(&["copy"]).exits(0);
    let gate = Gate::nth(&world.s3, "DeleteObjects", 1);
    let mut running = world.start(&["finalize", "--yes"]);
    gate.wait();
    running.signal("INT");
    until("it says that it was interrupted", || running.has_said("interrupted: finishing"));
    gate.open();
    let ended = running.ended();
    assert!(ended.code == 130 || ended.code == 0, "{}", ended.stderr);
    world.every_row_resolves();
    let again = world.run(&["finalize", "--yes"]).exits(0);
    assert_eq!(world.s3.keys("legacy-s3"), [""; 0]);
    assert_eq!(again.json["finalizable"], true);
    world.every_row_resolves();
}

#[test]
fn the_one_line_form_ends_after_the_command_that_was_interrupted() {
    let world = World::new();
    world.avatars(3);
    let gate = Gate::nth(&world.s3, "CopyObject", 1);
    let (url, user) = (world.database.url(), "root");
    let password = world.database.mariadb().root_password().to_owned();
    let bare = url.replacen(&format!("root:{password}@"), "", 1);
    let arguments = ["legacy-s3", "production-s3", &bare, user, &password, "--yes", "--concurrency", "1"];
    let mut command = world.command(&url, &arguments);
    command.env_remove("AVATAR_MIGRATE_DATABASE_URL");
    let mut running = crate::process::Running::start(command);
    gate.wait();
    running.signal("INT");
    until("it says that it was interrupted", || running.has_said("interrupted: finishing"));
    gate.open();
    running.ended().exits(130);
    assert_eq!(world.s3.keys("legacy-s3").len(), 3);
    world.every_row_resolves();
}
