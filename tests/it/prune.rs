//! `ledger prune`: what old runs have left goes, what is still needed stays, and what that costs is said before.

use crate::support::World;

/// More rows of one object than one statement forgets.
const ROWS: u64 = 12_000;

fn prune(world: &World, flags: &[&str]) -> crate::support::Ended {
    world.run(&[&["ledger", "prune", "--older-than", "0s"], flags].concat())
}

fn forgotten(ended: &crate::support::Ended) -> [u64; 3] {
    ["/pruned/paths", "/pruned/objects", "/pruned/row_changes"].map(|pointer| ended.number(pointer))
}

#[test]
fn old_lines_go_and_what_is_needed_stays() {
    let world = World::new();
    let keys = world.avatars(2);
    world.sql(&format!("INSERT INTO avatars (path) SELECT '{}' FROM seq_1_to_{}", keys[0], ROWS - 2));
    let first = world.run(&["copy"]).exits(0);
    assert_eq!(first.number("/rows/updated"), ROWS);
    let nothing = prune(&world, &[]).exits(0);
    assert_eq!(
        (&nothing.json["through"], forgotten(&nothing)),
        (&serde_json::Value::Null, [0, 0, 0]),
        "it is the last copy"
    );

    world.source("image/avatar-new.png");
    world.rows(&["image/avatar-new.png"]);
    world.run(&["copy"]).exits(0);
    old_plans(&world, ROWS);
    let dry = prune(&world, &["--dry-run"]).exits(0);
    assert_eq!((&dry.json["dry_run"], forgotten(&dry)), (&true.into(), [2 * ROWS, 0, ROWS]));
    assert!(dry.number("/through") >= first.number("/run"), "{}", dry.json);
    let refused = prune(&world, &[]).exits(4);
    assert!(refused.stderr.contains("12,000 rows would be beyond rollback"), "{}", refused.stderr);
    assert_eq!(forgotten(&prune(&world, &["--yes"]).exits(0)), [2 * ROWS, 0, ROWS]);
    assert_eq!(forgotten(&prune(&world, &["--yes"]).exits(0)), [0, 0, 0]);
    assert_eq!(world.run(&["rollback", "--yes"]).exits(0).number("/rows/restored"), 1, "the rest is forgotten");
    world.every_row_resolves();

    assert_eq!(world.run(&["copy"]).exits(0).number("/rows/updated"), 1);
    world.run(&["finalize", "--yes"]).exits(0);
    world.source("image/avatar-late.png");
    world.rows(&["image/avatar-late.png"]);
    world.run(&["copy"]).exits(0);
    let deleted = prune(&world, &["--yes"]).exits(0);
    assert_eq!(deleted.number("/pruned/objects"), 3);
    world.run(&["verify"]).exits(0);
}

/// Lines as the plans of a run that ended early leave them, of objects and of URLs.
fn old_plans(world: &World, lines: u64) {
    let (ledger, from) = (world.ledger(), format!("am_run, seq_1_to_{lines} WHERE id = 1"));
    world.sql(&format!(
        "INSERT INTO {ledger}.am_plan SELECT migration, id, 1, CONCAT('old/', seq), 0, seq FROM {ledger}.{from}"
    ));
    world.sql(&format!(
        "INSERT INTO {ledger}.am_url SELECT migration, seq, CONCAT('old/', seq), id FROM {ledger}.{from}"
    ));
}

#[test]
fn a_plan_makes_room_for_itself_and_for_some_more() {
    let world = World::new();
    let plans = format!("SELECT COUNT(*) AS v FROM {}.am_plan", world.ledger());
    world.avatars(2);
    world.run(&["copy"]).exits(0);
    old_plans(&world, 25_000);
    // What one statement forgets, and each time what it plans itself.
    for left in [15_003, 5_004, 1, 1] {
        world.source("image/avatar-new.png");
        world.rows(&["image/avatar-new.png"]);
        world.run(&["copy"]).exits(0);
        assert_eq!(world.column(&plans), [left.to_string()]);
    }
}

#[test]
fn it_says_what_it_lacks() {
    let world = World::new();
    world.avatars(1);
    let action = world.run(&["ledger"]).exits(2);
    assert!(action.stderr.contains("<ACTION>"), "{}", action.stderr);
    let age = world.run(&["ledger", "prune"]).exits(2);
    assert!(age.stderr.contains("--older-than is not given"), "{}", age.stderr);
    let young = world.run(&["ledger", "prune", "--older-than", "90d"]).exits(0);
    assert_eq!(young.json["through"], serde_json::Value::Null);
}
