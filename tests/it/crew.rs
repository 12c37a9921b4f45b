//! Many workers at one copy: they share the work, take over from who is gone, and end together.

mod finalize;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use avatar_migrate_kit::{DatabaseFault, Fault, FaultProxy, RequestSeen, Strain};

use crate::process::{Gate, Running, until};
use crate::support::{Ended, World};
use crate::zombie::freeze;

const WORKER: [&str; 7] = ["copy", "--workers", "join", "--range-objects", "10", "--lease", "6s"];

fn picture(request: &RequestSeen, operation: &str) -> bool {
    request.operation == operation && request.key.as_deref().is_some_and(|key| key.starts_with("avatar/"))
}

fn workers(world: &World, count: usize) -> Vec<Running> {
    (0..count).map(|_| world.start(&WORKER)).collect()
}

/// The process of one of the workers.
fn of(workers: &mut Vec<Running>, pid: u32) -> Running {
    let at = workers.iter().position(|worker| worker.pid() == pid).expect("its process");
    workers.remove(at)
}

fn ends(workers: Vec<Running>) -> Vec<Ended> {
    workers.into_iter().map(Running::ended).collect()
}

fn ledger(world: &World, sql: &str) -> Vec<String> {
    world.column(&sql.replace("LEDGER", world.ledger()))
}

/// A service that is far away: ranges take long enough to be met. A worker tries the endpoint's conditions before its first one,
/// which takes three seconds here, so that there have to be some ranges more.
fn far(world: &World) {
    world.s3.strain(Strain { latency: Duration::from_millis(300), per_second: None });
}

fn near(world: &World) {
    world.s3.strain(Strain::default());
}

/// Whether all tables are there that a shared run needs.
fn has_ledger(world: &World) -> bool {
    let tables = "SELECT table_name AS v FROM information_schema.tables WHERE table_schema = 'LEDGER'";
    ledger(world, tables).iter().any(|table| table == "am_source")
}

/// Ranges of the copy that are at a worker and not done, each with the worker's process.
fn at_work(world: &World) -> Vec<u32> {
    let sql = "SELECT w.pid AS v FROM `LEDGER`.am_range g JOIN `LEDGER`.am_worker w ON w.id = g.worker
               WHERE g.stage = 'copy' AND g.done_at IS NULL AND w.left_at IS NULL";
    if !has_ledger(world) {
        return Vec::new();
    }
    ledger(world, sql).iter().map(|pid| pid.parse().expect("a pid")).collect()
}

/// The process that holds the run.
fn holder(world: &World) -> u32 {
    let sql = "SELECT w.pid AS v FROM `LEDGER`.am_share s JOIN `LEDGER`.am_worker w ON w.id = s.holder
               WHERE s.run = (SELECT MAX(run) FROM `LEDGER`.am_share)";
    ledger(world, sql)[0].parse().expect("a pid")
}

#[track_caller]
fn all_moved(world: &World, count: usize) {
    assert!(world.paths().iter().all(|path| path.starts_with("avatar/")), "{:?}", world.paths());
    assert_eq!(world.s3.keys("production-s3").len(), count, "scratch objects of workers are gone too");
    world.every_row_resolves();
    assert_eq!(world.run(&["verify", "--report", "out.csv"]).exits(0).number("/objects/verified"), count as u64);
}

#[test]
fn three_workers_share_one_run_and_end_together() {
    let world = World::new();
    world.avatars(200);
    let copied = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&copied);
    world.s3.on_request(move |request| {
        counted.fetch_add(u64::from(picture(request, "CopyObject")), Ordering::SeqCst);
        Fault::None
    });
    // So that none of them ends alone.
    far(&world);
    let workers = workers(&world, 3);
    until("all have joined", || {
        has_ledger(&world) && ledger(&world, "SELECT id AS v FROM `LEDGER`.am_worker").len() == 3
    });
    until("several are at work", || {
        let mut at = at_work(&world);
        at.sort_unstable();
        at.dedup();
        at.len() >= 2
    });
    let status = world.run(&["status"]).exits(0);
    let seen = status.json["workers"].as_array().expect("workers").clone();
    assert_eq!(seen.iter().filter(|worker| worker["state"] == "alive").count(), 3, "{}", status.json);
    assert_eq!(seen.iter().filter(|worker| worker["holder"] == true).count(), 1, "{}", status.json);
    near(&world);
    let ended = ends(workers);
    let mut ranges = 0;
    for ended in &ended {
        assert_eq!(ended.code, 0, "{}", ended.stderr);
        assert_eq!(ended.number("/rows/updated"), 200, "{}", ended.json);
        assert_eq!(ended.number("/objects/copied"), 200, "{}", ended.json);
        assert_eq!(ended.number("/run"), 1);
        ranges += ended.number("/shared/ranges");
    }
    let holders = ended.iter().filter(|ended| ended.json["shared"]["holder"] == true).count();
    assert_eq!(holders, 1);
    assert!((3 * 20..=3 * 30).contains(&ranges), "three stages of about twenty ranges: {ranges}");
    assert_eq!(copied.load(Ordering::SeqCst), 200, "each object was copied once");
    assert_eq!(
        ledger(&world, "SELECT COUNT(DISTINCT run, part) AS v FROM `LEDGER`.am_row_change"),
        ["1"],
        "one transaction"
    );
    all_moved(&world, 200);
}

#[test]
fn what_a_killed_worker_held_is_taken_over() {
    let world = World::new();
    world.avatars(200);
    far(&world);
    let mut workers = workers(&world, 3);
    until("a worker that does not hold the run is at work", || {
        at_work(&world).iter().any(|pid| *pid != holder(&world))
    });
    let pid = *at_work(&world).iter().find(|pid| **pid != holder(&world)).expect("a worker");
    of(&mut workers, pid).kill();
    near(&world);
    for ended in ends(workers) {
        assert_eq!((ended.code, ended.number("/rows/updated")), (0, 200), "{}", ended.stderr);
    }
    all_moved(&world, 200);
}

/// Its objects that were not begun would not be copied before the rows move.
#[test]
fn a_range_beside_one_that_fails_is_not_done_before_all_of_it_is() {
    let world = World::new();
    // One range of ten objects and one of five.
    world.avatars(15);
    let lists = AtomicU64::new(0);
    world.s3.on_request(move |request| match request.operation.as_str() {
        "ListObjectsV2" if request.bucket.as_deref() == Some("legacy-s3") => {
            // The first tries whether the bucket can be listed at all, the others begin a range each.
            let refused = lists.fetch_add(1, Ordering::SeqCst) == 2;
            if refused { Fault::Status(403, "AccessDenied".to_owned()) } else { Fault::None }
        }
        // So that the refusal is known before the first range begins its second object.
        "CopyObject" if picture(request, "CopyObject") => Fault::DelayMillis(500),
        _ => Fault::None,
    });
    let alone = [WORKER.as_slice(), &["--concurrency", "1"]].concat();
    world.run(&alone).exits(1);
    world.s3.no_faults();
    assert_eq!(world.s3.keys("production-s3").iter().filter(|key| key.starts_with("avatar/")).count(), 1);
    assert_eq!(ledger(&world, "SELECT COUNT(*) AS v FROM `LEDGER`.am_range WHERE done_at IS NOT NULL"), ["0"]);
    world.run(&WORKER).exits(0);
    all_moved(&world, 15);
}

#[test]
fn another_worker_goes_on_when_the_holder_is_killed() {
    let world = World::new();
    world.avatars(100);
    let gate = Gate::at(&world.s3, |request| picture(request, "CopyObject"));
    let mut workers = workers(&world, 3);
    gate.wait();
    until("all have joined", || ledger(&world, "SELECT id AS v FROM `LEDGER`.am_worker").len() == 3);
    let pid = holder(&world);
    of(&mut workers, pid).kill();
    gate.open();
    let ended = ends(workers);
    for ended in &ended {
        assert_eq!((ended.code, ended.number("/rows/updated")), (0, 100), "{}", ended.stderr);
        assert_eq!(ended.number("/run"), 1, "the same run goes on");
    }
    assert!(ended.iter().any(|ended| ended.stderr.contains("is taken over: its holder is gone")));
    all_moved(&world, 100);
}

#[test]
fn a_worker_that_was_paused_finds_its_lease_gone_and_stops() {
    let world = World::new();
    world.avatars(200);
    far(&world);
    let mut workers = workers(&world, 2);
    until("a worker that does not hold the run is at work", || {
        at_work(&world).iter().any(|pid| *pid != holder(&world))
    });
    let pid = *at_work(&world).iter().find(|pid| **pid != holder(&world)).expect("a worker");
    let paused = of(&mut workers, pid);
    freeze(&paused);
    near(&world);
    let others = ends(workers);
    assert_eq!((others[0].code, others[0].number("/rows/updated")), (0, 200), "{}", others[0].stderr);
    assert!(others[0].number("/shared/taken_over") > 0, "{}", others[0].json);
    let before = world.s3.keys("production-s3");
    paused.signal("CONT");
    let ended = paused.ended().exits(1);
    assert!(ended.stderr.contains("others have taken over what it was at"), "{}", ended.stderr);
    assert_eq!(world.s3.keys("production-s3"), before, "nothing new is there");
    all_moved(&world, 200);
}

#[test]
fn the_others_go_on_while_the_holder_is_paused_and_without_it_once_its_lock_is_free() {
    let world = World::new();
    world.avatars(200);
    far(&world);
    let mut workers = workers(&world, 2);
    let copying = "SELECT COUNT(*) AS v FROM `LEDGER`.am_range WHERE stage = 'copy' AND done_at IS NULL";
    until("both are at work", || {
        let mut at = at_work(&world);
        at.sort_unstable();
        at.dedup();
        at.len() == 2
    });
    let pid = holder(&world);
    let paused = of(&mut workers, pid);
    freeze(&paused);
    near(&world);
    // What the holder was at is taken over when its lease has lapsed, though it has the lock still.
    until("all is copied", || ledger(&world, copying) == ["0"]);
    assert!(world.paths().iter().all(|path| path.starts_with("image/")), "no row moves without the lock");
    crate::zombie::time_out(&world);
    let others = ends(workers);
    assert_eq!((others[0].code, others[0].number("/rows/updated")), (0, 200), "{}", others[0].stderr);
    paused.signal("CONT");
    let ended = paused.ended().exits(1);
    assert!(ended.stderr.contains("run the command again"), "{}", ended.stderr);
    all_moved(&world, 200);
}

#[test]
fn an_interrupted_holder_leaves_its_run_to_the_others() {
    let world = World::new();
    world.avatars(100);
    let gate = Gate::at(&world.s3, |request| picture(request, "CopyObject"));
    let mut workers = workers(&world, 2);
    gate.wait();
    until("both have joined", || ledger(&world, "SELECT id AS v FROM `LEDGER`.am_worker").len() == 2);
    let pid = holder(&world);
    let interrupted = of(&mut workers, pid);
    interrupted.signal("TERM");
    gate.open();
    interrupted.ended().exits(130);
    let ended = ends(workers);
    assert_eq!(
        (ended[0].code, ended[0].number("/rows/updated"), ended[0].number("/run")),
        (0, 100, 1),
        "{}",
        ended[0].stderr
    );
    all_moved(&world, 100);
}

#[test]
fn a_worker_of_other_settings_is_refused() {
    let world = World::new();
    world.avatars(20);
    let gate = Gate::at(&world.s3, |request| picture(request, "CopyObject"));
    let holder = world.start(&WORKER);
    gate.wait();
    let other = world.run(&["copy", "--workers", "join", "--check", "sha256"]).exits(2);
    assert!(other.stderr.contains("--check sha256") && other.stderr.contains("--check auto"), "{}", other.stderr);
    let alone = world.run(&["copy"]).exits(5);
    assert!(alone.stderr.contains("another run holds the lock"), "{}", alone.stderr);
    gate.open();
    holder.ended().exits(0);
}

#[test]
fn a_worker_that_comes_late_finds_nothing_to_do() {
    let world = World::new();
    world.avatars(20);
    world.run(&WORKER).exits(0);
    let late = world.run(&WORKER).exits(0);
    assert_eq!((late.number("/rows/updated"), late.number("/rows/left")), (0, 0));
}

#[test]
fn a_run_of_its_own_ends_what_was_shared_before() {
    let world = World::new();
    world.avatars(30);
    let gate = Gate::at(&world.s3, |request| picture(request, "CopyObject"));
    let holder = world.start(&WORKER);
    gate.wait();
    freeze(&holder);
    gate.open();
    crate::zombie::time_out(&world);
    assert_eq!(world.run(&["copy"]).exits(0).number("/rows/updated"), 30);
    holder.signal("CONT");
    let ended = holder.ended().exits(1);
    assert!(ended.stderr.contains("run the command again"), "{}", ended.stderr);
    all_moved(&world, 30);
}

#[test]
fn work_that_is_left_is_left_for_all() {
    let world = World::new();
    world.avatars(30);
    world.rows(&["image/avatar-none.png"]);
    for ended in ends(workers(&world, 2)) {
        assert_eq!((ended.code, ended.number("/rows/left")), (3, 1), "{}", ended.stderr);
    }
}

#[test]
fn what_cannot_be_shared_is_refused() {
    let world = World::new();
    for (more, says) in
        [(["--method", "sync"], "the AWS CLI copies"), (["--limit", "5"], "contradicts the flag --limit")]
    {
        let ended = world.run(&[&["copy", "--workers", "join"], &more[..]].concat()).exits(2);
        assert!(ended.stderr.contains(says), "{}", ended.stderr);
    }
    let zero = world.run(&["copy", "--workers", "join", "--lease", "0"]).exits(2);
    assert!(zero.stderr.contains("--lease"), "{}", zero.stderr);
    // A slip of the pen must not become a run that works alone, beside which no other one may start.
    let slip = world.run(&["copy", "--workers", "jion"]).exits(2);
    assert!(slip.stderr.contains("did you mean `join`?"), "{}", slip.stderr);
}

/// A claim that reads the line of a worker in a join passes over it while its heart beats, and takes its range for free.
#[test]
fn a_range_is_not_taken_while_the_heart_of_its_worker_beats() {
    let world = World::new();
    world.avatars(40);
    let gate = Gate::at(&world.s3, |request| picture(request, "CopyObject"));
    let patient = ["copy", "--workers", "join", "--range-objects", "10"];
    let first = world.start(&patient);
    gate.wait();
    until("it is at work", || !at_work(&world).is_empty());
    // As a beat does for a moment, for long enough to be met.
    let beat = world.hold(&format!("SELECT * FROM `{}`.am_worker WHERE id = 1 FOR UPDATE", world.ledger()));
    let proxy = FaultProxy::before(&world.database).expect("a proxy");
    let claims = Arc::new(AtomicU64::new(0));
    let seen = Arc::clone(&claims);
    proxy.on_command(move |command| {
        seen.fetch_add(u64::from(command.sql.contains("SKIP LOCKED")), Ordering::SeqCst);
        DatabaseFault::None
    });
    let other = Running::start(world.command(&proxy.url(&world.database), &patient));
    // It takes what is free, and looks for more again and again.
    until("the other has looked for work", || claims.load(Ordering::SeqCst) >= 10);
    let taken = "SELECT MAX(claims) AS v FROM `LEDGER`.am_range";
    assert_eq!(ledger(&world, taken), ["1"]);
    drop(beat);
    gate.open();
    for ended in ends(vec![first, other]) {
        assert_eq!(ended.code, 0, "{}", ended.stderr);
    }
    assert_eq!(ledger(&world, taken), ["1"], "nobody was silent");
}
