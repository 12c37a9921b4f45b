//! What holds a run up for the sake of others: a limit of requests, a file, a signal, a busy server, a lagging replica.

use std::time::{Duration, Instant};

use avatar_migrate_kit::Mariadb;

use crate::again::until_a_cutover_waits;
use crate::privileges::{run_the_hint, user};
use crate::process::{Gate, Running, until};
use crate::servers::{HAS_A_ROW, ROWS, replicate, server, world};
use crate::support::World;

#[test]
fn requests_are_spread_over_the_seconds() {
    let world = World::new();
    world.avatars(300);
    world.s3.reset_requests();
    let begun = Instant::now();
    let copied = world.run(&["copy", "--max-requests-per-second", "150"]).exits(0);
    let sent: u64 = world.s3.requests().into_values().sum();
    assert_eq!(copied.number("/objects/copied"), 300);
    // A twentieth of a second's share may go at once.
    assert!(begun.elapsed().as_secs_f64() >= (sent - 8) as f64 / 150.0, "{sent} in {:?}", begun.elapsed());
}

fn phase(world: &World) -> serde_json::Value {
    world.run(&["status"]).json["run"]["phase"]["name"].clone()
}

#[test]
fn a_file_holds_it_before_anything_begins() {
    let world = World::new();
    world.avatars(3);
    let file = world.directory.path().join("pause");
    std::fs::write(&file, "").expect("a file");
    let mut running = world.start(&["copy", "--pause-file", "pause"]);
    until("it is held", || running.has_said("paused: ") && running.has_said("pause exists"));
    assert_eq!((world.s3.keys("production-s3").len(), world.run(&["status"]).json["run"].is_null()), (0, true));
    std::fs::remove_file(&file).expect("a file");
    let ended = running.ended().exits(0);
    assert!(ended.stderr.contains("going on after "), "{}", ended.stderr);
    assert_eq!(ended.number("/rows/updated"), 3);
}

#[test]
fn a_signal_holds_it_between_two_objects_and_lets_it_go_on() {
    let world = World::new();
    world.avatars(6);
    let gate = Gate::nth(&world.s3, "CopyObject", 4);
    let mut running = world.start(&["copy", "--concurrency", "1"]);
    gate.wait();
    running.signal("USR1");
    until("it is held", || running.has_said("paused: SIGUSR1"));
    gate.open();
    // A beat of the heart later the copy under way has ended, and none was begun.
    until("status tells it", || phase(&world) == "paused");
    let copied = world.s3.requests()["CopyObject"];
    assert_eq!(copied, 4);
    running.signal("USR1");
    until("it goes on", || running.has_said("going on after "));
    assert_eq!(running.ended().exits(0).number("/rows/updated"), 6);
}

#[test]
fn an_interrupt_ends_what_is_held() {
    let world = World::new();
    world.avatars(2);
    world.run(&["copy"]).exits(0);
    std::fs::write(world.directory.path().join("pause"), "").expect("a file");
    for command in [&["verify"][..], &["finalize", "--yes"], &["rollback", "--yes"]] {
        let mut running = world.start(&[command, &["--pause-file", "pause"]].concat());
        until("it is held", || running.has_said("pause exists"));
        running.signal("INT");
        running.ended().exits(130);
    }
    assert_eq!((world.s3.keys("legacy-s3").len(), world.paths()[0].starts_with("avatar/")), (2, true));
}

/// Held for long between two transactions: what was looked at before is looked at again, and what the application has
/// deleted since its row moved stays deleted.
#[test]
fn after_a_long_time_between_two_transactions_the_sources_are_looked_at_again() {
    let world = World::new();
    let keys = world.avatars(3);
    // A range scan of MariaDB locks one row behind its end: this holds the second transaction.
    let held = world.hold_row(3);
    let mut running = world.start(&["copy", "--transaction-rows", "1"]);
    let moved = |key: &str| world.paths().contains(&key.replacen("image/", "avatar/", 1));
    until("the first row has moved", || moved(&keys[0]));
    until_a_cutover_waits(&world, "avatars");
    running.signal("USR1");
    until("it is held", || running.has_said("paused: SIGUSR1"));
    drop(held);
    until("the second row has moved", || moved(&keys[1]));
    world.s3.remove("production-s3", &keys[0].replacen("image/", "avatar/", 1));
    world.put("legacy-s3", &keys[2], b"a newer picture".to_vec());
    let since = Instant::now();
    until("the look is old", || since.elapsed() > Duration::from_secs(31));
    assert!(!moved(&keys[2]));
    running.signal("USR1");
    let ended = running.ended().exits(0);
    assert_eq!((ended.number("/rows/updated"), ended.number("/passes")), (3, 2));
    assert_eq!(
        world.body("production-s3", &keys[2].replacen("image/", "avatar/", 1)),
        Some(b"a newer picture".to_vec())
    );
    assert_eq!(world.body("production-s3", &keys[0].replacen("image/", "avatar/", 1)), None, "it came back");
}

fn copying(world: &World, server: &Mariadb, flags: &[&str]) -> Running {
    Running::start(world.command(&server.root_url("production"), &[&["copy"], flags].concat()))
}

#[test]
fn a_busy_server_holds_it() {
    let (server, world) = (server(&[]), world());
    server.execute(ROWS).expect("rows");
    let sleeper = std::thread::scope(|scope| {
        let busy = scope.spawn(|| server.execute("SELECT GET_LOCK('busy', 1), SLEEP(600)"));
        let mut running = copying(&world, &server, &["--max-running-threads", "1"]);
        until("it is held", || running.has_said("threads of the database are at work, over 1"));
        let kill = "BEGIN NOT ATOMIC DECLARE id INT DEFAULT IS_USED_LOCK('busy'); EXECUTE IMMEDIATE CONCAT('KILL QUERY ', id); END";
        until("it is busy no more", || busy.is_finished() || server.execute(kill).is_err() || busy.is_finished());
        running.ended().exits(0)
    });
    assert_eq!(sleeper.number("/rows/updated"), 1);
}

#[test]
fn a_replica_that_lags_or_stands_still_holds_it() {
    let (primary, replica, world) = (server(&[]), server(&["--server-id=2"]), world());
    replicate(&primary, &replica);
    let url = replica.root_url("production");
    let flags = ["--replica-url", url.as_str(), "--max-replica-lag", "1s"];
    primary.execute(ROWS).expect("rows");
    until("the rows have come over", || replica.execute(HAS_A_ROW).is_ok());
    replica.execute("STOP SLAVE; CHANGE MASTER TO MASTER_DELAY = 3600; START SLAVE").expect("a late replica");
    primary.execute("CREATE TABLE production.other (id INT)").expect("a change that comes late");
    let since = Instant::now();
    until("it is late enough", || since.elapsed() > Duration::from_secs(3));
    let mut running = copying(&world, &primary, &flags);
    until("it lags", || running.has_said("paused: the replica 127.0.0.1:") && running.has_said(" s behind, over 1 s"));
    replica.execute("STOP SLAVE; CHANGE MASTER TO MASTER_DELAY = 0; START SLAVE").expect("no delay");
    let ended = running.ended().exits(0);
    assert!(ended.stderr.contains("going on after "), "{}", ended.stderr);
    assert_eq!(ended.number("/rows/updated"), 1);

    replica.execute("STOP SLAVE SQL_THREAD").expect("a standstill");
    let mut running = copying(&world, &primary, &flags);
    until("it stands still", || running.has_said("does not replicate"));
    replica.kill_hard().expect("a kill");
    running.signal("INT");
    running.ended().exits(130);
}

#[test]
fn a_replica_that_cannot_be_asked_is_refused() {
    let world = World::new();
    world.avatars(1);
    let refused = |flags: &[&str], message: &str| {
        let ended = world.run(&[&["verify"], flags].concat()).exits(2);
        assert!(ended.stderr.contains(message), "{}", ended.stderr);
    };
    refused(&["--max-replica-lag", "5s"], "no replica is named whose lag could be asked");
    refused(&["--replica-url", "mysql://root:secret@127.0.0.1:1/x"], "--replica-url 127.0.0.1:1");
    refused(&["--replica-url", &world.database.url()], "the server is no replica");
    refused(&["--max-requests-per-second", "0"], "0 is less than 1");
    let reader = user(&world, &["GRANT SELECT ON `{db}`.* TO {user}"]);
    run_the_hint(&world, world.run_as(&reader, &["verify", "--replica-url", &reader]), &["REPLICA MONITOR"]);
}
