//! `status`: where a migration stands, whoever asks and whatever else goes on.

use serde_json::Value;

use crate::privileges::{run_the_hint, user};
use crate::process::{Gate, Running, until};
use crate::support::World;

#[track_caller]
fn status(world: &World) -> Value {
    world.run(&["status"]).exits(0).json
}

/// A copy of so many objects that stands still before its last one, and the gate that holds it.
fn at_work(world: &World, objects: usize) -> (Running, Gate) {
    world.avatars(objects);
    let gate = Gate::nth(&world.s3, "CopyObject", objects as u64);
    let running = world.start(&["copy", "--concurrency", "1"]);
    gate.wait();
    (running, gate)
}

#[test]
fn before_between_and_after() {
    let world = World::new();
    world.avatars(3);
    let new = status(&world);
    assert_eq!((&new["command"], &new["state"], &new["run"]), (&"status".into(), &"new".into(), &Value::Null));

    let copied = world.run(&["copy"]).exits(0);
    let idle = status(&world);
    assert_eq!(idle["state"], "ended");
    assert_eq!(idle["run"]["id"], copied.json["run"]);
    assert_eq!((&idle["run"]["name"], &idle["run"]["exit_code"]), (&"copy".into(), &0.into()));
    assert_eq!(idle["objects"], serde_json::json!({"verified": 3}));
    assert_eq!(idle["rows_moved"], 3);
    assert_eq!(idle["last_cutover"]["run"], copied.json["run"]);
    assert_eq!(idle["clean_for_seconds"], Value::Null);

    world.run(&["verify", "--report", "out.csv"]).exits(0);
    assert!(status(&world)["clean_for_seconds"].is_u64(), "a clean verify starts the grace clock");
    world.run(&["finalize", "--yes"]).exits(0);
    let done = status(&world);
    assert_eq!((&done["run"]["name"], &done["objects"]), (&"finalize".into(), &serde_json::json!({"deleted": 3})));
}

#[test]
fn while_a_run_is_at_work_and_after_it_was_killed() {
    let world = World::new();
    let (running, gate) = at_work(&world, 5);
    // The first beat of the heart comes after some seconds.
    until("the phase is told", || status(&world)["run"]["phase"]["name"] == "copy");
    let now = status(&world);
    assert_eq!((&now["state"], &now["run"]["pid"]), (&"running".into(), &running.pid().into()));
    let phase = &now["run"]["phase"];
    assert_eq!((&phase["total"], &phase["unit"]), (&5.into(), &"objects".into()));
    let mut text = world.command(&world.database.url(), &["status", "--format", "human"]);
    let text = String::from_utf8(text.output().expect("the program starts").stdout).expect("UTF-8");
    assert!(text.starts_with("RUNNING: copy, run 1\n") && text.contains(" of 5 objects ("), "{text}");

    running.kill();
    gate.open();
    until("the server has noticed", || status(&world)["state"] == "cut_off");
    assert_eq!(status(&world)["run"]["finished_at"], Value::Null);
    world.run(&["copy"]).exits(0);
    assert_eq!(status(&world)["state"], "ended");
}

#[test]
fn a_run_of_other_settings_is_told_from_ones_own() {
    let world = World::new();
    let (running, gate) = at_work(&world, 2);
    let other = world.run(&["status", "--modern-prefix", "pictures/"]).exits(0).json;
    assert_eq!((&other["state"], &other["run"]), (&"locked".into(), &Value::Null));
    assert_eq!(other["holder"]["pid"], running.pid());
    gate.open();
    running.ended().exits(0);
}

#[test]
fn watching_ends_with_the_run() {
    let world = World::new();
    let (running, gate) = at_work(&world, 2);
    let mut command = world.command(&world.database.url(), &["status", "--watch"]);
    command.stdout(std::fs::File::create(world.directory.path().join("watched")).expect("a file"));
    let mut watching = command.spawn().expect("the program starts");
    let watched = || std::fs::read_to_string(world.directory.path().join("watched")).expect("a file");
    until("it has looked twice", || watched().lines().count() >= 2);
    assert!(watching.try_wait().expect("a child").is_none(), "the run is still at work");
    gate.open();
    running.ended().exits(0);
    assert!(watching.wait().expect("a child").success());
    let looks: Vec<Value> = watched().lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let (last, before) = looks.split_last().expect("looks");
    assert_eq!(last["state"], "ended");
    assert!(before.iter().all(|look| look["state"] == "running"), "{looks:?}");
}

#[test]
fn it_asks_no_bucket_and_says_which_grant_is_missing() {
    let world = World::new();
    world.avatars(1);
    world.run(&["copy"]).exits(0);
    let nowhere =
        ["status", "--source-endpoint-url", "http://127.0.0.1:1", "--target-endpoint-url", "http://127.0.0.1:1"];
    assert_eq!(world.run(&nowhere).exits(0).json["state"], "ended");
    let reader = user(&world, &["GRANT SELECT ON `{db}`.* TO {user}"]);
    run_the_hint(&world, world.run_as(&reader, &["status"]), &["GRANT SELECT ON"]);
    assert_eq!(world.run_as(&reader, &["status"]).exits(0).json["rows_moved"], 1);
}
