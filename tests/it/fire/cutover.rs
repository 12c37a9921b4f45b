//! The cutover: errors of the server, lost connections, lost answers, killed sessions, a lost lock.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use avatar_migrate_kit::{CommandSeen, DatabaseFault};

use super::{
    AVATARS, Observer, all_or_nothing, commits, journal_agrees, journals, kill, killed_and_then, moves_rows, once, run,
    start, world,
};
use crate::process::until;
use crate::support::{Ended, World};

/// Demands that the run that met the fault did all by itself, and said that it began anew.
#[track_caller]
fn recovered(world: &World, ended: Ended) {
    let ended = ended.exits(0);
    assert_eq!(ended.number("/rows/updated"), AVATARS as u64);
    assert_eq!(all_or_nothing(world), AVATARS);
    assert!(ended.stderr.contains("on a fresh connection"), "{}", ended.stderr);
}

/// One fault at the first command for which `at` holds.
#[track_caller]
fn one_fault(at: fn(&CommandSeen) -> bool, fault: DatabaseFault) {
    let (world, proxy) = world();
    let observer = Observer::of(&world);
    let said = fault.clone();
    let met = once(&proxy, at, move |_| fault.clone());
    let ended = run(&world, &proxy, &["copy"]);
    assert!(met.load(Ordering::SeqCst), "{said:?} met nothing");
    recovered(&world, ended);
    observer.saw_steps_of(AVATARS);
}

#[test]
fn an_error_of_the_server_rolls_all_back_and_another_attempt_is_made() {
    for error in [1205, 1213, 1020] {
        for at in [journals, moves_rows] {
            one_fault(at, DatabaseFault::Error(error));
        }
    }
    // Some servers find a conflict only when they commit.
    one_fault(commits, DatabaseFault::Error(1213));
}

#[test]
fn a_connection_lost_inside_the_transaction_is_replaced() {
    let faults = [DatabaseFault::CutBefore, DatabaseFault::AnswerLost, DatabaseFault::AnswerTruncated];
    for fault in faults {
        for at in [journals, moves_rows] {
            one_fault(at, fault.clone());
        }
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
fn a_commit_of_which_only_a_part_is_in_the_journal_stops_the_run() {
    let (world, proxy) = world();
    let (database, ledger) = (world.database.clone(), world.ledger().to_owned());
    // Somebody meddles with the journal while nobody holds the lock.
    let (lost, meddled) = (AtomicBool::new(false), AtomicBool::new(false));
    proxy.on_command(move |seen| {
        if commits(seen) && !lost.swap(true, Ordering::SeqCst) {
            return DatabaseFault::AnswerLost;
        }
        if lost.load(Ordering::SeqCst)
            && seen.sql.contains("LOCK IN SHARE MODE")
            && !meddled.swap(true, Ordering::SeqCst)
        {
            database.execute(&format!("DELETE FROM `{ledger}`.am_row_change LIMIT 1")).expect("DELETE");
        }
        DatabaseFault::None
    });
    let ended = run(&world, &proxy, &["copy"]).exits(1);
    assert!(ended.stderr.contains("am_row_change, run 1"), "{}", ended.stderr);
    assert!(ended.stderr.contains("5 lines of 6"), "{}", ended.stderr);
    world.every_row_resolves();
    world.run(&["copy"]).exits(0);
}

/// Where all rows with a legacy path are in the journal they are not looked up one by one: their number must tell.
#[test]
fn a_row_that_comes_between_journal_and_update_does_not_move_with_the_others() {
    let (world, proxy) = world();
    let (database, updates) = (world.database.clone(), Arc::new(Mutex::new(Vec::new())));
    let seen_updates = Arc::clone(&updates);
    proxy.on_command(move |seen| {
        if moves_rows(seen) {
            let mut updates = seen_updates.lock().expect("a lock");
            if updates.is_empty() {
                // Nobody has looked whether such an object exists.
                database.execute("INSERT INTO avatars (path) VALUES ('image/avatar-late.png')").expect("a late row");
            }
            updates.push(seen.sql.contains("am_moving"));
        }
        DatabaseFault::None
    });
    let ended = run(&world, &proxy, &["copy"]).exits(3);
    assert_eq!((ended.number("/rows/updated"), ended.number("/rows/left")), (AVATARS as u64, 1));
    assert_eq!(world.column("SELECT path AS v FROM avatars WHERE path LIKE 'image/%'"), ["image/avatar-late.png"]);
    assert!(ended.stderr.contains("7 rows matched where 6 were journaled"), "{}", ended.stderr);
    let lines = format!("SELECT COUNT(*) AS v FROM `{}`.am_row_change", world.ledger());
    assert_eq!(world.column(&lines), [AVATARS.to_string()], "what was taken back left no line");
    let updates = updates.lock().expect("a lock");
    assert_eq!(updates.get(..2), Some([false, true].as_slice()), "the second attempt looks each row up");
}

#[test]
fn a_killed_session_is_replaced() {
    for at in [journals, moves_rows, commits] {
        let (world, proxy) = world();
        let observer = Observer::of(&world);
        let database = world.database.clone();
        let met = once(&proxy, at, move |seen| {
            kill(&database, seen.session);
            DatabaseFault::None
        });
        let ended = run(&world, &proxy, &["copy"]);
        assert!(met.load(Ordering::SeqCst));
        recovered(&world, ended);
        observer.saw_steps_of(AVATARS);
    }
}

#[test]
fn an_answer_that_never_comes_is_not_waited_for_once_the_session_is_gone() {
    for at in [moves_rows, commits] {
        let (world, proxy) = world();
        let observer = Observer::of(&world);
        let session = Arc::new(AtomicU64::new(0));
        let silent = Arc::clone(&session);
        once(&proxy, at, move |seen| {
            silent.store(seen.session, Ordering::SeqCst);
            DatabaseFault::Stall
        });
        let running = start(&world, &proxy, &["copy"]);
        until("the network is silent", || proxy.stalled() == 1);
        // What the server does by itself after a while, without a word to the client.
        kill(&world.database, session.load(Ordering::SeqCst));
        recovered(&world, running.ended());
        observer.saw_steps_of(AVATARS);
    }
}

#[test]
fn the_session_that_a_silent_network_leaves_behind_is_ended_before_the_next_attempt() {
    let (world, proxy) = world();
    // The statement waits for a row in the server when the network goes: its session lives on, with its locks.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let holder = runtime.block_on(async {
        let mut connection = world.database.connect().await.expect("a connection");
        for sql in ["START TRANSACTION", "SELECT * FROM avatars WHERE id = 3 FOR UPDATE"] {
            sqlx::query(sql).execute(&mut connection).await.expect(sql);
        }
        connection
    });
    let met = once(&proxy, journals, |_| DatabaseFault::CutAfter);
    let mut running = start(&world, &proxy, &["copy"]);
    until("it says that it begins anew", || running.has_said("begins anew on a fresh connection"));
    drop(holder);
    assert!(met.load(Ordering::SeqCst));
    recovered(&world, running.ended());
}

#[test]
fn errors_that_do_not_pass_end_the_run_after_some_attempts() {
    let (world, proxy) = world();
    let observer = Observer::of(&world);
    proxy.on_command(|seen| if moves_rows(seen) { DatabaseFault::Error(1205) } else { DatabaseFault::None });
    let ended = run(&world, &proxy, &["copy"]).exits(1);
    assert!(ended.stderr.contains("rolled back 5 times; no row has changed"), "{}", ended.stderr);
    assert_eq!(ended.stderr.matches("begins anew").count(), 4, "{}", ended.stderr);
    assert_eq!(all_or_nothing(&world), 0);
    proxy.no_faults();
    assert_eq!(run(&world, &proxy, &["copy"]).exits(0).number("/rows/updated"), AVATARS as u64);
    assert_eq!(all_or_nothing(&world), AVATARS);
    observer.saw_steps_of(AVATARS);
}

#[test]
fn a_row_that_somebody_holds_longer_than_the_server_waits() {
    let (world, proxy) = world();
    let observer = Observer::of(&world);
    // The server's own error 1205, after one second instead of thirty.
    proxy.on_command(|seen| match seen.sql.contains("innodb_lock_wait_timeout = 30") {
        true => {
            DatabaseFault::Instead(seen.sql.replace("innodb_lock_wait_timeout = 30", "innodb_lock_wait_timeout = 1"))
        }
        false => DatabaseFault::None,
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let holder = runtime.block_on(async {
        let mut connection = world.database.connect().await.expect("a connection");
        for sql in ["START TRANSACTION", "SELECT * FROM avatars WHERE id = 3 FOR UPDATE"] {
            sqlx::query(sql).execute(&mut connection).await.expect(sql);
        }
        connection
    });
    let mut running = start(&world, &proxy, &["copy"]);
    until("the lock wait timed out", || running.has_said("Lock wait timeout exceeded"));
    drop(holder);
    recovered(&world, running.ended());
    observer.saw_steps_of(AVATARS);
}

#[test]
fn a_deadlock_whose_victim_is_the_cutover() {
    let (world, proxy) = world();
    let observer = Observer::of(&world);
    world.sql("CREATE TABLE ballast (n INT) ENGINE = InnoDB");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let mut other = runtime.block_on(world.database.connect()).expect("a connection");
    let mut say = |sql: &'static str| {
        runtime.block_on(async { sqlx::query(sql).execute(&mut other).await.expect(sql) });
    };
    say("START TRANSACTION");
    // The server rolls back the transaction that has changed less.
    say("INSERT INTO ballast SELECT seq FROM seq_1_to_5000");
    say("SELECT * FROM avatars WHERE id = 5 FOR UPDATE");
    let mut running = start(&world, &proxy, &["copy"]);
    crate::again::until_a_cutover_waits(&world, "avatars");
    say("SELECT * FROM avatars WHERE id = 1 FOR UPDATE");
    until("the deadlock was found", || running.has_said("Deadlock found"));
    say("ROLLBACK");
    recovered(&world, running.ended());
    observer.saw_steps_of(AVATARS);
}

#[test]
fn another_run_that_began_meanwhile_ends_this_one() {
    let (world, proxy) = world();
    let observer = Observer::of(&world);
    let mut other = world.command(&world.database.url(), &["copy"]);
    let met = killed_and_then(&world, &proxy, move || {
        let ended = other.output().expect("the other run");
        assert_eq!(ended.status.code(), Some(0), "{}", String::from_utf8_lossy(&ended.stderr));
    });
    let ended = run(&world, &proxy, &["copy"]).exits(1);
    assert!(met.load(Ordering::SeqCst));
    assert!(ended.stderr.contains("another run began"), "{}", ended.stderr);
    assert!(ended.stderr.contains("no row has changed"), "{}", ended.stderr);
    assert_eq!(all_or_nothing(&world), AVATARS, "the other run has moved them");
    observer.saw_steps_of(AVATARS);
    world.run(&["copy"]).exits(0);
}

#[test]
fn a_lock_that_somebody_else_took_meanwhile_is_not_waited_for() {
    let (world, proxy) = world();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let mut other = runtime.block_on(world.database.connect()).expect("a connection");
    let handle = runtime.handle().clone();
    let (keep, kept) = std::sync::mpsc::channel();
    let met = killed_and_then(&world, &proxy, move || {
        let take = "SELECT GET_LOCK(CONCAT('avatarMigrate:', LEFT(SHA2(DATABASE(), 256), 32)), 30)";
        let took: i64 = handle.block_on(sqlx::query_scalar(take).fetch_one(&mut other)).expect("GET_LOCK");
        assert_eq!(took, 1);
        keep.send(other).expect("the test");
    });
    let ended = run(&world, &proxy, &["copy"]).exits(5);
    assert!(met.load(Ordering::SeqCst));
    assert!(ended.stderr.contains("another run holds the lock"), "{}", ended.stderr);
    assert_eq!(all_or_nothing(&world), 0);
    // That frees the lock.
    drop(kept.recv().expect("the other session"));
    world.run(&["copy", "--lock-wait", "30s"]).exits(0);
    assert_eq!(all_or_nothing(&world), AVATARS);
}

#[test]
fn transactions_of_some_rows_are_each_whole() {
    for (fault, at) in [
        (DatabaseFault::CutBefore, commits as fn(&CommandSeen) -> bool),
        (DatabaseFault::AnswerLost, commits),
        (DatabaseFault::Error(1213), moves_rows),
        (DatabaseFault::AnswerTruncated, journals),
    ] {
        let (world, proxy) = world();
        let observer = Observer::of(&world);
        let nth = AtomicU64::new(0);
        let second = move |seen: &CommandSeen| at(seen) && nth.fetch_add(1, Ordering::SeqCst) == 1;
        let met = once(&proxy, second, move |_| fault.clone());
        let ended = run(&world, &proxy, &["copy", "--transaction-rows", "2"]);
        assert!(met.load(Ordering::SeqCst));
        recovered(&world, ended);
        observer.saw_steps_of(2);
    }
}

#[test]
fn the_transactions_before_one_that_fails_for_good_stay() {
    let (world, proxy) = world();
    let nth = AtomicU64::new(0);
    proxy.on_command(move |seen| match moves_rows(seen) && nth.fetch_add(1, Ordering::SeqCst) >= 1 {
        true => DatabaseFault::Error(1205),
        false => DatabaseFault::None,
    });
    run(&world, &proxy, &["copy", "--transaction-rows", "2"]).exits(1);
    assert_eq!(world.paths().iter().filter(|path| path.starts_with("avatar/")).count(), 2);
    journal_agrees(&world);
    proxy.no_faults();
    assert_eq!(run(&world, &proxy, &["copy"]).exits(0).number("/rows/updated"), AVATARS as u64 - 2);
    assert_eq!(all_or_nothing(&world), AVATARS);
}
