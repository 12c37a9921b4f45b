//! A run that is frozen until the server has given its lock to another one, and then wakes up: it does no harm.

use avatar_migrate_kit::{RequestSeen, effort};

use crate::again::until_a_cutover_waits;
use crate::process::{Gate, Running, until};
use crate::support::{World, content};

/// Stops the program as a suspended machine would: it does not notice.
pub(crate) fn freeze(running: &Running) {
    running.signal("STOP");
    let stat = format!("/proc/{}/stat", running.pid());
    let state = || std::fs::read_to_string(&stat).unwrap_or_default();
    until("the program stands still", || state().rsplit_once(") ").is_some_and(|(_, state)| state.starts_with('T')));
}

/// What the server does after a minute of silence: it ends the session that holds the lock, and with it the lock.
pub(crate) fn time_out(world: &World) {
    let runs = format!("SELECT connection_id AS v FROM `{}`.am_run WHERE finished_at IS NULL", world.ledger());
    let [session] = &world.column(&runs)[..] else { panic!("one run holds the lock") };
    world.sql(&format!("KILL {session}"));
    let sessions = format!("SELECT id AS v FROM information_schema.processlist WHERE id = {session}");
    until("the session is gone", || world.column(&sessions).is_empty());
}

/// Everything that a woken run could harm.
fn everything(world: &World) -> Vec<String> {
    let mut all = world.column("SELECT CONCAT_WS(' ', id, path, updated_at) AS v FROM avatars");
    let journal =
        format!("SELECT CONCAT_WS(' ', id, old_value, undone_by) AS v FROM `{}`.am_row_change", world.ledger());
    let objects =
        format!("SELECT CONCAT_WS(' ', source_key, state, run, target_etag) AS v FROM `{}`.am_object", world.ledger());
    all.extend(world.column(&journal));
    all.extend(world.column(&objects));
    for bucket in ["legacy-s3", "production-s3"] {
        for key in world.s3.keys(bucket) {
            let object = world.s3.object(bucket, &key).expect("an object");
            all.push(format!("{bucket}/{key} {} {:?}", object.e_tag, object.last_modified));
        }
    }
    all
}

/// Wakes the frozen run: nothing changes, and it says why it ends.
#[track_caller]
fn wakes_up_harmless(world: &World, zombie: Running) {
    let before = everything(world);
    zombie.signal("CONT");
    let ended = zombie.ended().exits(1);
    assert_eq!(everything(world), before, "{}", ended.stderr);
    let says = |text: &str| ended.stderr.contains(text);
    assert!(says("lock was lost") || says("connection was lost"), "{}", ended.stderr);
    assert!(says("run the command again") || says("run the same command again"), "{}", ended.stderr);
    world.every_row_resolves();
}

#[test]
fn a_copy_frozen_while_it_copies() {
    let world = World::new();
    world.avatars(5);
    let canaries = |request: &RequestSeen| request.key.as_deref().is_some_and(|key| key.starts_with('.'));
    let gate = Gate::at(&world.s3, move |request| {
        request.operation == "CopyObject" && !canaries(request) && request.key.as_deref() == Some("avatar/avatar-2.png")
    });
    let zombie = world.start(&["copy", "--concurrency", "1"]);
    gate.wait();
    freeze(&zombie);
    gate.open();
    time_out(&world);
    assert_eq!(world.run(&["copy"]).exits(0).number("/rows/updated"), 5);
    wakes_up_harmless(&world, zombie);
}

#[test]
fn a_copy_frozen_in_its_cutover() {
    let world = World::new();
    world.avatars(5);
    let blocker = world.hold_row(3);
    let zombie = world.start(&["copy"]);
    until_a_cutover_waits(&world, "avatars");
    freeze(&zombie);
    time_out(&world);
    drop(blocker);
    assert_eq!(world.run(&["copy"]).exits(0).number("/rows/updated"), 5);
    wakes_up_harmless(&world, zombie);
}

/// Freezes a finalize right before its first delete: at the last look for scratch objects of its canaries.
fn frozen_before_its_deletes(world: &World) -> Running {
    world.run(&["copy"]).exits(0);
    let tried = std::sync::atomic::AtomicBool::new(false);
    let gate = Gate::at(&world.s3, move |request| {
        let batch = request.operation == "DeleteObjects";
        let tried = tried.fetch_or(batch, std::sync::atomic::Ordering::SeqCst);
        tried && request.operation == "ListObjectsV2" && request.bucket.as_deref() == Some("legacy-s3")
    });
    let zombie = world.start(&["finalize", "--yes"]);
    gate.wait();
    freeze(&zombie);
    gate.open();
    zombie
}

#[test]
fn a_finalize_frozen_before_its_deletes_while_another_rolls_back() {
    let world = World::new();
    world.avatars(5);
    let zombie = frozen_before_its_deletes(&world);
    time_out(&world);
    let back = world.run(&["rollback", "--yes", "--restore-objects", "--holder-is-dead"]).exits(0);
    assert_eq!(back.number("/rows/restored"), 5);
    wakes_up_harmless(&world, zombie);
    assert_eq!(world.s3.keys("legacy-s3").len(), 5, "the rows name them again");
    assert!(world.paths().iter().all(|path| path.starts_with("image/")));
}

#[test]
fn a_finalize_frozen_before_its_deletes_while_another_finishes() {
    let world = World::new();
    world.avatars(5);
    let zombie = frozen_before_its_deletes(&world);
    time_out(&world);
    assert_eq!(world.run(&["finalize", "--yes"]).exits(0).number("/objects/deleted"), 5);
    // The application uses an old key again: nobody may take that for the object that was compared.
    world.put("legacy-s3", "image/avatar-1.png", content("image/avatar-1.png"));
    wakes_up_harmless(&world, zombie);
    assert_eq!(world.s3.keys("legacy-s3"), ["image/avatar-1.png"]);
}

/// The same without a helping hand: the server itself ends the silent session, after a minute.
#[test]
fn the_server_ends_a_frozen_run_by_itself() {
    for _ in 0..effort::times(0, 1) {
        let world = World::new();
        world.avatars(5);
        let zombie = frozen_before_its_deletes(&world);
        // A live holder is never waited for: its heart has to stand still for a while first.
        let silent = format!(
            "SELECT id AS v FROM `{}`.am_run WHERE finished_at IS NULL AND heartbeat_at < UTC_TIMESTAMP() - INTERVAL 16 SECOND",
            world.ledger()
        );
        until("the holder seems dead", || world.column(&silent).len() == 1);
        let second = world.run(&["copy", "--lock-wait", "2m"]).exits(0);
        assert_eq!(second.number("/rows/updated"), 0);
        wakes_up_harmless(&world, zombie);
    }
}
