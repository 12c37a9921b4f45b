//! Deletes of several batches under way together: what is gone is recorded, whatever becomes of the others.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, RwLock};
use std::time::Duration;

use avatar_migrate_kit::{CommandKind, DatabaseFault, Fault, FaultProxy, ObjectHeaders};

use crate::process::{Running, until};
use crate::support::World;

/// Nine batches of five hundred: one more than begin together.
const OBJECTS: usize = 4500;

/// The canary of conditional deletes takes two.
const FIRST_BATCH: u64 = 3;

/// Objects that are in place already, with a row each; and what `copy` makes of them.
fn migrated() -> World {
    let world = World::new();
    let names: Vec<String> = (0..OBJECTS).map(|n| format!("avatar-{n}.png")).collect();
    for name in &names {
        for key in [("legacy-s3", format!("image/{name}")), ("production-s3", format!("avatar/{name}"))] {
            world.s3.put_with(key.0, &key.1, name.clone(), ObjectHeaders::default(), |_| {});
        }
    }
    let keys: Vec<String> = names.iter().map(|name| format!("image/{name}")).collect();
    world.rows(&keys.iter().map(String::as_str).collect::<Vec<_>>());
    world.run(&["copy"]).exits(0);
    world.s3.reset_requests();
    world
}

/// How many sources are gone, which must be as many as the ledger knows to be gone.
#[track_caller]
fn gone(world: &World) -> usize {
    let gone = OBJECTS - world.s3.keys("legacy-s3").len();
    let recorded = format!("SELECT COUNT(*) AS v FROM {}.am_object WHERE state = 'deleted'", world.ledger());
    assert_eq!(world.column(&recorded), [gone.to_string()], "the ledger knows what is gone");
    gone
}

#[test]
fn what_others_have_deleted_is_recorded_when_one_fails() {
    let world = migrated();
    let others = Arc::new(AtomicU64::new(0));
    world.s3.on_request(move |request| match (request.operation.as_str(), request.nth) {
        ("DeleteObjects", nth) if nth == FIRST_BATCH + 1 => {
            until("others are under way", || others.load(Ordering::SeqCst) >= 2);
            Fault::Status(403, "AccessDenied".to_owned())
        }
        // So that the failure is known first.
        ("DeleteObjects", nth) if nth >= FIRST_BATCH => {
            others.fetch_add(1, Ordering::SeqCst);
            Fault::DelayMillis(200)
        }
        (_, _) => Fault::None,
    });
    let ended = world.run(&["finalize", "--yes"]).exits(1);
    assert!(ended.stderr.contains("s3:DeleteObject"), "{}", ended.stderr);
    world.s3.no_faults();
    let gone = gone(&world);
    assert!((1000..=OBJECTS - 1000).contains(&gone), "{gone} of {OBJECTS}: some of the batches, not all");
    let again = world.run(&["finalize", "--yes"]).exits(0);
    assert_eq!(again.number("/objects/deleted"), (OBJECTS - gone) as u64);
    assert_eq!(world.s3.keys("production-s3").len(), OBJECTS);
}

#[test]
fn a_signal_lets_those_under_way_end() {
    let world = migrated();
    let shut = Arc::new(RwLock::new(()));
    let gate = shut.write().expect("a lock");
    let door = Arc::clone(&shut);
    world.s3.on_request(move |request| {
        if request.operation == "DeleteObjects" && request.nth >= FIRST_BATCH {
            drop(door.read());
        }
        Fault::None
    });
    let mut running = world.start(&["finalize", "--yes"]);
    until("two batches are under way", || world.s3.requests().get("DeleteObjects") > Some(&FIRST_BATCH));
    running.signal("INT");
    until("it says that it was interrupted", || running.has_said("interrupted: finishing"));
    drop(gate);
    running.ended().exits(130);
    let gone = gone(&world);
    assert!((1000..OBJECTS).contains(&gone), "{gone} of {OBJECTS}: those under way, and no more");
    let again = world.run(&["finalize", "--yes"]).exits(0);
    assert_eq!(again.number("/objects/deleted"), (OBJECTS - gone) as u64);
    assert_eq!(world.s3.keys("production-s3").len(), OBJECTS);
}

/// The lock's connection is asked before a batch and taken to record another: neither may wait for the other for ever.
#[test]
fn batches_that_end_while_the_lock_is_asked_are_recorded() {
    let world = migrated();
    let proxy = FaultProxy::before(&world.database).expect("a proxy");
    // As from afar: batches end meanwhile.
    proxy.on_command(|seen| {
        if seen.kind == CommandKind::Execute && seen.sql.starts_with("SELECT IS_USED_LOCK(?) = CONNECTION_ID()") {
            std::thread::sleep(Duration::from_millis(200));
        }
        DatabaseFault::None
    });
    let running = Running::start(world.command(&proxy.url(&world.database), &["finalize", "--yes"]));
    assert_eq!(running.ended().exits(0).number("/objects/deleted"), OBJECTS as u64);
    assert_eq!(gone(&world), OBJECTS);
}
