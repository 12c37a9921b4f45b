//! `policy`: what it prints lets each command do all of its work, and nothing in it is too much.

mod database;
mod gate;
mod rules;
mod servers;
mod shown;

use std::collections::BTreeMap;

use serde_json::Value;

use self::gate::{Log, guard};
use self::rules::{Right, Rules};
use crate::inventory::written::Inventory;
use crate::support::{Ended, World, content};

/// What the program prints for a command.
fn printed(world: &World, phase: &str, flags: &[&str]) -> Value {
    let printed = world.run(&[&["policy", "--for", phase], flags].concat()).exits(0);
    assert_eq!(printed.json["command"], "policy");
    let phases = printed.json["phases"].as_array().expect("phases");
    assert_eq!((phases.len(), phases[0]["phase"].as_str()), (1, Some(phase)));
    phases[0].clone()
}

/// The policies of its identities.
fn rules(phase: &Value) -> Rules {
    Rules::of(phase["iam"].as_array().expect("policies").iter().map(|identity| &identity["policy"]))
}

/// A command with all that it may have to do: the world before it, and the command itself.
#[derive(Clone, Copy)]
struct Scenario {
    before: fn(&World),
    run: &'static [&'static str],
    flags: &'static [&'static str],
    exits: i32,
    /// The how-manieth upload the server does not complete, for what only then is done.
    fails: Option<u64>,
}

/// Settings that large objects need to go in parts.
const PARTS: &[&str] = &["--multipart-threshold", "100kB", "--multipart-part-size", "64KiB"];
const STREAM: &[&str] = &["--method", "stream", "--multipart-threshold", "100kB", "--multipart-part-size", "64KiB"];
const BYTES: &[&str] = &["--check", "sha256"];

const fn scenario(before: fn(&World), run: &'static [&'static str], exits: i32) -> Scenario {
    Scenario { before, run, flags: &[], exits, fails: None }
}

impl Scenario {
    const fn with(self, flags: &'static [&'static str]) -> Self {
        Self { flags, ..self }
    }

    /// The `nth` upload is not completed, and so given up.
    const fn failing(self, nth: u64, exits: i32) -> Self {
        Self { exits, fails: Some(nth), ..self }
    }

    /// Runs it behind these rules.
    fn behind(&self, rules: &Rules, settings: &[&str]) -> (Ended, Log) {
        let world = World::new();
        (self.before)(&world);
        let log = guard(&world.s3, rules, self.fails);
        let ended = world.run(&[self.run, self.flags, settings].concat());
        world.s3.no_faults();
        let log = log.lock().expect("a lock").clone();
        (ended, log)
    }

    /// Whether it ended as it should. What `doctor` could not find out is a warning.
    fn is_well(&self, ended: &Ended) -> bool {
        let checks = ended.json["checks"].as_array().map(Vec::as_slice).unwrap_or_default();
        ended.code == self.exits && checks.iter().all(|check| check["status"] == "pass")
    }
}

fn rows(world: &World) {
    world.avatars(3);
    world.s3.set_least_part(1);
    let body: Vec<u8> = content("big").into_iter().cycle().take(300_000).collect();
    world.put("legacy-s3", "image/avatar-big.png", body);
    world.rows(&["image/avatar-big.png"]);
}

fn copied(world: &World) {
    rows(world);
    world.run(&["copy"]).exits(0);
}

fn with_an_orphan(world: &World) {
    copied(world);
    let body: Vec<u8> = content("orphan").into_iter().cycle().take(300_000).collect();
    world.put("legacy-s3", "image/avatar-orphan.png", body);
}

fn with_a_source_gone(world: &World) {
    copied(world);
    assert!(world.s3.remove("legacy-s3", "image/avatar-0.png"));
}

fn finalized(world: &World) {
    copied(world);
    world.run(&["finalize", "--yes"]).exits(0);
}

/// The target of the large object holds other bytes, as many as take parts.
fn conflict(world: &World) {
    rows(world);
    let body: Vec<u8> = content("other").into_iter().cycle().take(300_000).collect();
    world.put("production-s3", "avatar/avatar-big.png", body);
    world.run(&["copy"]).exits(3);
}

/// What a command asks for is allowed, where policy and command are both given these settings. Gives the rules, and for
/// each right a scenario that uses it.
#[track_caller]
fn is_enough<'a>(phase: &str, scenarios: &'a [Scenario], settings: &[&str]) -> (Rules, BTreeMap<Right, &'a Scenario>) {
    let rules = rules(&printed(&World::new(), phase, settings));
    let mut using = BTreeMap::new();
    for scenario in scenarios {
        let (ended, log) = scenario.behind(&rules, settings);
        assert_eq!(Vec::from_iter(log.refused), [], "{phase} {:?}: {}", scenario.flags, ended.stderr);
        assert!(scenario.is_well(&ended), "{phase} {:?}: {}{}", scenario.flags, ended.stdout, ended.stderr);
        for right in log.used {
            using.entry(right).or_insert(scenario);
        }
    }
    (rules, using)
}

/// Both ways at once: all that the scenarios ask for is allowed, and of all that is allowed they ask for each; without it,
/// they do not end as they should.
#[track_caller]
fn exactly_what_is_needed(phase: &str, scenarios: &[Scenario]) {
    let (rules, using) = is_enough(phase, scenarios, &[]);
    for right in rules.rights() {
        let Some(scenario) = using.get(&right) else { panic!("{phase} never uses {right:?}") };
        let (ended, log) = scenario.behind(&rules.without(&right), &[]);
        assert!(log.refused.iter().any(|access| access.action == right.1), "{phase} without {right:?}: not refused");
        // An upload that cannot be given up is only logged: the failure that it follows is told already.
        let told = ended.stderr.contains("a multipart upload could not be aborted");
        assert!(told || !scenario.is_well(&ended), "{phase} does without {right:?}: {}", ended.stdout);
    }
}

#[test]
fn doctor_gets_exactly_what_it_needs() {
    exactly_what_is_needed("doctor", &[scenario(rows, &["doctor"], 0), scenario(copied, &["doctor"], 0)]);
}

#[test]
fn verify_gets_exactly_what_it_needs() {
    let verify = |before, exits| scenario(before, &["verify", "--report", "out.csv"], exits);
    let dry = scenario(rows, &["copy", "--dry-run"], 0);
    let explain = scenario(copied, &["explain", "image/avatar-0.png"], 0);
    exactly_what_is_needed(
        "verify",
        &[
            verify(rows, 3),
            verify(copied, 0).with(BYTES),
            explain,
            explain.with(BYTES),
            dry,
            dry.with(STREAM),
            dry.with(BYTES),
        ],
    );
}

/// Migrated rows, and an inventory of each bucket in a third one.
fn with_inventories(world: &World) {
    copied(world);
    for bucket in ["legacy-s3", "production-s3"] {
        Inventory::csv(world, bucket, "").write(world);
    }
}

/// The addresses of these inventories.
const INVENTORIES: [&str; 4] = [
    "--inventory",
    "s3://reports/inv/legacy-s3/all/2026-11-20T01-00Z/manifest.json",
    "--inventory",
    "s3://reports/inv/production-s3/all/2026-11-20T01-00Z/manifest.json",
];

#[test]
fn inventories_are_read_by_rights_of_their_own() {
    let verify = scenario(with_inventories, &["verify", "--report", "out.csv"], 0);
    let finalize = scenario(with_inventories, &["finalize", "--yes"], 0);
    for (phase, scenario) in [("verify", verify), ("finalize", finalize)] {
        let all = [scenario];
        let (rules, using) = is_enough(phase, &all, &INVENTORIES);
        for sid in ["LegacyReadInventory", "ProductionReadInventory"] {
            let right = (sid.to_owned(), "s3:GetObject".to_owned());
            assert!(using.contains_key(&right), "{phase} never uses {right:?}");
            let (ended, _) = scenario.behind(&rules.without(&right), &INVENTORIES);
            let ended = ended.exits(2);
            assert!(ended.stderr.contains("s3:GetObject is needed on the files of the inventory"), "{}", ended.stderr);
        }
    }
}

#[test]
fn copy_gets_exactly_what_it_needs() {
    let copy = scenario(rows, &["copy"], 0);
    let all = [copy, copy.with(PARTS), copy.with(STREAM), copy.with(BYTES), copy.with(PARTS).failing(1, 3)];
    exactly_what_is_needed("copy", &all);
}

#[test]
fn finalize_gets_exactly_what_it_needs() {
    let finalize = scenario(with_an_orphan, &["finalize", "--yes", "--orphans", "copy"], 0);
    let all = [
        finalize,
        finalize.with(PARTS),
        finalize.with(STREAM),
        finalize.with(BYTES),
        finalize.with(PARTS).failing(1, 3),
    ];
    exactly_what_is_needed("finalize", &all);
}

#[test]
fn rollback_gets_exactly_what_it_needs() {
    let rollback = |before, exits| scenario(before, &["rollback", "--yes"], exits);
    exactly_what_is_needed("rollback", &[rollback(copied, 0), rollback(with_a_source_gone, 4)]);
}

#[test]
fn restoring_gets_exactly_what_it_needs() {
    let restore = scenario(finalized, &["rollback", "--restore-objects", "--yes"], 0);
    let all =
        [restore, restore.with(PARTS), restore.with(STREAM), restore.with(BYTES), restore.with(PARTS).failing(1, 3)];
    exactly_what_is_needed("restore", &all);
}

#[test]
fn resolve_gets_exactly_what_it_needs() {
    let source = scenario(conflict, &["resolve", "image/avatar-big.png", "--keep", "source", "--yes"], 0);
    let target = scenario(conflict, &["resolve", "image/avatar-big.png", "--keep", "target", "--yes"], 0);
    let in_parts = source.with(PARTS);
    let all = [source, in_parts, source.with(STREAM), target, in_parts.failing(1, 1), in_parts.failing(2, 1)];
    exactly_what_is_needed("resolve", &all);
}

#[test]
fn fence_gets_exactly_what_it_needs() {
    let fence = |run| scenario(copied, run, 0);
    exactly_what_is_needed("fence", &[fence(&["fence"]), fence(&["fence", "--apply", "--yes"])]);
}

#[test]
fn pruning_gets_exactly_what_it_needs() {
    exactly_what_is_needed("prune", &[scenario(finalized, &["ledger", "prune", "--older-than", "0s", "--yes"], 0)]);
}

#[test]
fn status_needs_no_bucket() {
    let phase = printed(&World::new(), "status", &[]);
    for kind in ["iam", "buckets", "keys"] {
        assert_eq!(phase[kind], serde_json::json!([]), "{kind}");
    }
    let (ended, log) = scenario(copied, &["status"], 0).behind(&rules(&phase), &[]);
    ended.exits(0);
    assert_eq!(log, Log::default());
}
