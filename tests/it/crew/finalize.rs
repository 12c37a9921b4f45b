//! Many workers at one finalize: one has the proof, all of them delete.

use avatar_migrate_kit::RequestSeen;

use super::{ends, far, has_ledger, holder, ledger, near, of};
use crate::process::{Gate, Running, until};
use crate::support::{Ended, World};
use crate::zombie::freeze;

const WORKER: [&str; 12] = [
    "finalize",
    "--yes",
    "--workers",
    "join",
    "--range-objects",
    "10",
    "--lease",
    "6s",
    "--orphans",
    "copy",
    "--orphan-min-age",
    "0",
];

/// A world whose rows have moved.
fn migrated(objects: usize) -> World {
    let world = World::new();
    world.avatars(objects);
    world.run(&["copy"]).exits(0);
    world
}

/// The look at the sources of a range, right before they are deleted: verify lists the whole prefix.
fn looks(request: &RequestSeen) -> bool {
    let prefix = request.prefix.as_deref().unwrap_or_default();
    request.operation == "ListObjectsV2"
        && request.bucket.as_deref() == Some("legacy-s3")
        && prefix.starts_with("image/avatar-")
}

fn workers(world: &World, count: usize) -> Vec<Running> {
    (0..count).map(|_| world.start(&WORKER)).collect()
}

/// Processes that are at deleting a range.
fn deleting(world: &World) -> Vec<u32> {
    if !has_ledger(world) {
        return Vec::new();
    }
    let sql = "SELECT w.pid AS v FROM `LEDGER`.am_range g JOIN `LEDGER`.am_worker w ON w.id = g.worker
               WHERE g.stage = 'delete' AND g.done_at IS NULL AND w.left_at IS NULL";
    ledger(world, sql).iter().map(|pid| pid.parse().expect("a pid")).collect()
}

#[track_caller]
fn all_gone(world: &World, objects: usize) {
    assert!(world.s3.keys("legacy-s3").is_empty(), "{:?}", world.s3.keys("legacy-s3"));
    assert_eq!(world.s3.keys("production-s3").len(), objects);
    assert_eq!(ledger(world, "SELECT COUNT(*) AS v FROM `LEDGER`.am_source"), ["0"], "what was shared is forgotten");
    world.every_row_resolves();
}

#[track_caller]
fn all_deleted(ended: &[Ended], deleted: u64) {
    for ended in ended {
        assert_eq!((ended.code, ended.number("/objects/deleted")), (0, deleted), "{} {}", ended.json, ended.stderr);
    }
}

#[test]
fn three_workers_copy_orphans_and_delete_together() {
    let world = migrated(100);
    for n in 0..25 {
        world.source(&format!("image/avatar-orphan-{n}.png"));
    }
    far(&world);
    let ended = ends(workers(&world, 3));
    all_deleted(&ended, 125);
    let of_all = |pointer: &str| ended.iter().map(|ended| ended.number(pointer)).sum::<u64>();
    assert!(of_all("/shared/ranges") >= 13 + 3, "orphans in three ranges, deletes in thirteen: {}", ended[0].json);
    assert!(ended.iter().filter(|ended| ended.number("/shared/ranges") > 0).count() >= 2, "more than one took part");
    for ended in &ended {
        assert_eq!(ended.number("/objects/orphans_copied"), 25, "{}", ended.json);
    }
    all_gone(&world, 125);
}

#[test]
fn what_a_killed_worker_was_deleting_is_taken_over() {
    let world = migrated(60);
    far(&world);
    let mut workers = workers(&world, 3);
    let other = |world: &World| deleting(world).into_iter().find(|pid| *pid != holder(world));
    until("a worker that does not hold the run is at deleting", || other(&world).is_some());
    let pid = other(&world).expect("a worker");
    of(&mut workers, pid).kill();
    near(&world);
    for ended in ends(workers) {
        assert_eq!(ended.code, 0, "{}", ended.stderr);
    }
    all_gone(&world, 60);
}

#[test]
fn when_the_holder_is_killed_another_run_proves_everything_afresh() {
    let world = migrated(60);
    let gate = Gate::at(&world.s3, looks);
    let mut workers = workers(&world, 3);
    gate.wait();
    until("all have joined", || ledger(&world, "SELECT id AS v FROM `LEDGER`.am_worker").len() == 3);
    let before = ledger(&world, "SELECT MAX(run) AS v FROM `LEDGER`.am_share");
    let pid = holder(&world);
    of(&mut workers, pid).kill();
    gate.open();
    for ended in ends(workers) {
        assert_eq!(ended.code, 0, "{}", ended.stderr);
    }
    assert_ne!(ledger(&world, "SELECT MAX(run) AS v FROM `LEDGER`.am_share"), before, "a run of its own");
    all_gone(&world, 60);
}

#[test]
fn a_worker_that_counts_a_legacy_row_deletes_nothing() {
    let world = migrated(30);
    let gate = Gate::at(&world.s3, looks);
    let first = world.start(&WORKER);
    gate.wait();
    world.rows(&["image/avatar-late.png"]);
    let late = world.run(&WORKER).exits(4);
    assert!(late.stderr.contains("legacy paths were written to avatars.path meanwhile"), "{}", late.stderr);
    assert_eq!(world.s3.keys("legacy-s3").len(), 30, "nothing is deleted");
    gate.open();
    // The holder's own count is younger than thirty seconds.
    first.ended().exits(0);
}

#[test]
fn a_worker_that_was_paused_before_a_delete_deletes_nothing_any_more() {
    let world = migrated(60);
    far(&world);
    let mut workers = workers(&world, 2);
    let other = |world: &World| deleting(world).into_iter().find(|pid| *pid != holder(world));
    until("a worker that does not hold the run is at deleting", || other(&world).is_some());
    let pid = other(&world).expect("a worker");
    let paused = of(&mut workers, pid);
    freeze(&paused);
    near(&world);
    let others = ends(workers);
    assert_eq!(others[0].code, 0, "{}", others[0].stderr);
    // Somebody goes back, and the sources live again.
    world.run(&["rollback", "--yes", "--restore-objects"]).exits(0);
    let sources = world.s3.keys("legacy-s3");
    paused.signal("CONT");
    let ended = paused.ended();
    assert_ne!(ended.code, 0, "{}", ended.stderr);
    assert_eq!(world.s3.keys("legacy-s3"), sources, "{}", ended.stderr);
    world.every_row_resolves();
}

#[test]
fn workers_have_nobody_to_ask() {
    let world = migrated(3);
    let ended = world.run(&["finalize", "--workers", "join"]).exits(2);
    assert!(ended.stderr.contains("workers have nobody to ask") && ended.stderr.contains("--yes"), "{}", ended.stderr);
    assert_eq!(world.s3.keys("legacy-s3").len(), 3);
}
