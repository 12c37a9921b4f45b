//! Two writing runs on one schema exclude each other; readers need no lock.

use crate::process::Gate;
use crate::support::World;

#[test]
fn the_second_run_ends_at_once_and_names_the_first() {
    let world = World::new();
    world.avatars(3);
    let gate = Gate::nth(&world.s3, "CopyObject", 1);
    let running = world.start(&["copy"]);
    gate.wait();
    let host = String::from_utf8(std::process::Command::new("hostname").output().expect("hostname").stdout);
    let host = host.expect("a host name").trim().to_owned();
    for command in [&["copy"][..], &["finalize", "--yes"]] {
        let begun = std::time::Instant::now();
        // A live holder is never waited for, however long one would wait for a dead one.
        let second = world.run(&[command, &["--lock-wait", "600s"]].concat()).exits(5);
        assert!(begun.elapsed() < std::time::Duration::from_secs(60));
        assert_eq!(second.json["command"], command[0]);
        assert_eq!(second.json["locked_by"]["pid"], running.pid());
        assert_eq!(second.json["locked_by"]["host"], host.as_str());
        assert!(second.json["locked_by"]["since"].as_str().is_some_and(|since| since.len() >= 19));
        assert!(second.stderr.contains(&format!("process {} on {host}", running.pid())), "{}", second.stderr);
        assert!(second.stderr.contains(" hint: "), "{}", second.stderr);
    }
    let human = world.run(&["copy", "--format", "human"]).exits(5);
    assert!(human.stderr.contains(&running.pid().to_string()), "{}", human.stderr);
    world.run(&["verify", "--report", "out.csv"]).exits(3);
    world.run(&["copy", "--dry-run"]).exits(0);

    gate.open();
    assert_eq!(running.ended().exits(0).number("/rows/updated"), 3);
    world.run(&["copy"]).exits(0);
}

#[test]
fn another_ledger_is_no_way_around_the_lock() {
    let world = World::new();
    world.avatars(3);
    let gate = Gate::nth(&world.s3, "CopyObject", 1);
    let running = world.start(&["copy"]);
    gate.wait();
    let second = world.run(&["copy", "--ledger-schema", world.database.name()]).exits(5);
    // That ledger does not know the holder.
    assert_eq!(second.json, serde_json::json!({"command": "copy", "locked_by": null}));
    gate.open();
    running.ended().exits(0);
}

#[test]
fn the_lock_of_a_killed_run_is_waited_for() {
    let world = World::new();
    world.avatars(3);
    let gate = Gate::nth(&world.s3, "CopyObject", 1);
    let running = world.start(&["copy"]);
    gate.wait();
    running.kill();
    gate.open();
    world.run(&["copy"]).exits(0);
}
