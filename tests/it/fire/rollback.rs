//! The transaction of `rollback`, under the same fire as the cutover's.

use std::sync::atomic::Ordering;

use avatar_migrate_kit::{CommandSeen, DatabaseFault, FaultProxy};

use super::{AVATARS, Observer, all_or_nothing, commits, kill, killed_and_then, moves_rows, once, run, world};
use crate::support::{Ended, World};

/// A world whose rows have moved.
fn moved() -> (World, FaultProxy) {
    let (world, proxy) = world();
    world.run(&["copy"]).exits(0);
    (world, proxy)
}

#[track_caller]
fn recovered(world: &World, ended: Ended) {
    let ended = ended.exits(0);
    let numbers = ["/rows/planned", "/rows/restored", "/rows/changed", "/rows/left", "/objects/missing"];
    assert_eq!(numbers.map(|number| ended.number(number)), [AVATARS as u64, AVATARS as u64, 0, 0, 0]);
    assert_eq!(all_or_nothing(world), 0);
    assert!(ended.stderr.contains("on a fresh connection"), "{}", ended.stderr);
    assert_eq!(world.run(&["rollback", "--yes"]).exits(0).number("/rows/planned"), 0);
}

#[track_caller]
fn one_fault(at: fn(&CommandSeen) -> bool, fault: DatabaseFault) {
    let (world, proxy) = moved();
    let observer = Observer::of(&world);
    let said = fault.clone();
    let met = once(&proxy, at, move |_| fault.clone());
    let ended = run(&world, &proxy, &["rollback", "--yes"]);
    assert!(met.load(Ordering::SeqCst), "{said:?} met nothing");
    recovered(&world, ended);
    observer.saw_steps_of(AVATARS);
}

#[test]
fn errors_and_lost_connections_begin_anew_from_the_journal() {
    for error in [1205, 1213, 1020] {
        one_fault(moves_rows, DatabaseFault::Error(error));
    }
    for fault in [DatabaseFault::CutBefore, DatabaseFault::AnswerLost, DatabaseFault::AnswerTruncated] {
        one_fault(moves_rows, fault);
    }
}

#[test]
fn a_commit_that_did_not_arrive_is_made_again() {
    one_fault(commits, DatabaseFault::CutBefore);
}

#[test]
fn a_commit_whose_answer_is_lost_is_found_done() {
    one_fault(commits, DatabaseFault::AnswerLost);
    one_fault(commits, DatabaseFault::AnswerTruncated);
}

#[test]
fn a_source_that_vanishes_is_seen_after_a_commit_whose_answer_was_lost() {
    let (world, proxy) = moved();
    let s3 = std::sync::Arc::clone(&world.s3);
    once(&proxy, commits, move |_| {
        s3.remove("legacy-s3", "image/avatar-3.png");
        DatabaseFault::AnswerLost
    });
    let ended = run(&world, &proxy, &["rollback", "--yes", "--restore-objects"]).exits(0);
    assert_eq!(ended.number("/objects/restored"), 1);
    assert_eq!(all_or_nothing(&world), 0);
}

#[test]
fn a_killed_session_is_replaced() {
    for at in [moves_rows, commits] {
        let (world, proxy) = moved();
        let observer = Observer::of(&world);
        let database = world.database.clone();
        let met = once(&proxy, at, move |seen| {
            kill(&database, seen.session);
            DatabaseFault::None
        });
        let ended = run(&world, &proxy, &["rollback", "--yes"]);
        assert!(met.load(Ordering::SeqCst));
        recovered(&world, ended);
        observer.saw_steps_of(AVATARS);
    }
}

#[test]
fn errors_that_do_not_pass_end_it_after_some_attempts() {
    let (world, proxy) = moved();
    proxy.on_command(|seen| if moves_rows(seen) { DatabaseFault::Error(1213) } else { DatabaseFault::None });
    let ended = run(&world, &proxy, &["rollback", "--yes"]).exits(1);
    assert!(ended.stderr.contains("rolled back 5 times; no row has changed"), "{}", ended.stderr);
    assert_eq!(all_or_nothing(&world), AVATARS);
    world.run(&["rollback", "--yes"]).exits(0);
    assert_eq!(all_or_nothing(&world), 0);
}

#[test]
fn another_run_that_began_meanwhile_ends_this_one() {
    let (world, proxy) = moved();
    let mut other = world.command(&world.database.url(), &["copy"]);
    let met = killed_and_then(&world, &proxy, move || {
        let ended = other.output().expect("the other run");
        assert_eq!(ended.status.code(), Some(0), "{}", String::from_utf8_lossy(&ended.stderr));
    });
    let ended = run(&world, &proxy, &["rollback", "--yes"]).exits(1);
    assert!(met.load(Ordering::SeqCst));
    assert!(ended.stderr.contains("another run began"), "{}", ended.stderr);
    assert_eq!(all_or_nothing(&world), AVATARS);
}
