//! The printed GRANTs, run as they stand for a fresh user: each command does all of its work with just these, and not
//! without any of them.

use std::sync::OnceLock;

use avatar_migrate_kit::{Mariadb, MariadbOptions};
use serde_json::Value;

use crate::support::{AVATARS, World};

/// What a command does in a database, and how it ends where it may.
#[derive(Clone, Copy)]
struct Work {
    before: &'static [&'static [&'static str]],
    run: &'static [&'static str],
}

const VERIFY: &[&str] = &["verify", "--report", "out.csv"];
const FINALIZE: &[&str] = &["finalize", "--yes"];

const COPY: &[&[&str]] = &[&["copy"]];

/// A server that takes triggers from who is granted TRIGGER, although it writes a binary log.
fn mariadb() -> &'static Mariadb {
    static OWN: OnceLock<Mariadb> = OnceLock::new();
    OWN.get_or_init(|| {
        let extra = vec!["--log-bin-trust-function-creators=1".to_owned()];
        Mariadb::start(MariadbOptions { extra, ..MariadbOptions::default() }).expect("a server")
    })
}

/// A schema with two tables whose rows move, names that have to be quoted, and text that holds no path.
fn world(phase: &str) -> World {
    let world = World::on(mariadb());
    world.sql(AVATARS);
    world.avatars(2);
    if phase == "resolve" {
        // Twins that differ.
        world.source("image/avatar-9.png");
        world.target("avatar/avatar-9.png", "another");
    }
    world.sql(
        "CREATE TABLE `odd ``table` (id INT PRIMARY KEY, `the path` VARCHAR(200) CHARACTER SET utf8mb4, note TEXT,
             seen TIMESTAMP NOT NULL DEFAULT '2020-01-01 00:00:00' ON UPDATE CURRENT_TIMESTAMP);
         INSERT INTO `odd ``table` (id, `the path`, note) VALUES (1, 'image/avatar-0.png', 'nothing')",
    );
    world
}

/// The statements that the program prints for a command, asked by root, for an account of its own.
fn printed(world: &World, phase: &str) -> Vec<String> {
    let printed = world.run(&["policy", "--for", phase]).exits(0);
    assert_eq!(printed.json["asked_database"], true);
    let account = printed.json["account"].as_str().expect("an account").to_owned();
    let grants = printed.json["phases"][0]["grants"].as_array().expect("GRANTs").clone();
    let grants = grants.iter().map(|grant| grant.as_str().expect("SQL").to_owned());
    grants.map(|grant| grant.strip_suffix(&account).expect(&account).to_owned() + "{user}").collect()
}

/// A user with these statements, run as they stand.
fn user(world: &World, grants: &[String]) -> String {
    let grants: Vec<&str> = grants.iter().map(String::as_str).collect();
    let (name, password) = mariadb().user(&grants).expect("a user");
    mariadb().user_url(&name, &password, world.database.name())
}

impl Work {
    fn before(&self, phase: &str) -> World {
        let world = world(phase);
        for run in self.before {
            world.run(run).exits(0);
        }
        world
    }

    /// Runs it with the printed GRANTs as `changed` leaves them: what is not as it should be, or nothing.
    fn complaint(&self, phase: &str, changed: impl Fn(Vec<String>) -> Vec<String>) -> Option<String> {
        let world = self.before(phase);
        let grants = changed(printed(&world, phase));
        let ended = world.run_as(&user(&world, &grants), self.run);
        let checks = ended.json["checks"].as_array().map(Vec::as_slice).unwrap_or_default();
        let well = checks.iter().all(|check: &Value| check["status"] == "pass");
        let fenced = ended.json["command"] != "fence" || ended.json["fenced"] == true;
        let good = ended.code == 0 && well && fenced;
        (!good).then(|| format!("{:?} with {grants:#?}: {}{}", self.run, ended.stdout, ended.stderr))
    }
}

/// All of `work` is done with the printed GRANTs, and not all of it without any one of their parts.
#[track_caller]
fn exactly_what_is_needed(phase: &str, work: &[Work]) {
    for work in work {
        assert_eq!(work.complaint(phase, |grants| grants), None, "{phase}");
    }
    for (index, part) in cut(&printed(&world(phase), phase)).iter().enumerate() {
        let mut cuts = work.iter().filter_map(|work| work.complaint(phase, |grants| less(cut(&grants), index)));
        assert!(cuts.next().is_some(), "{phase} does without {part}");
    }
}

/// The GRANTs cut into the smallest ones.
fn cut(grants: &[String]) -> Vec<String> {
    let cut = grants.iter().flat_map(|grant| {
        let (privileges, rest) =
            grant.strip_prefix("GRANT ").and_then(|rest| rest.split_once(" ON ")).expect("a GRANT");
        parts(privileges).into_iter().map(move |privilege| format!("GRANT {privilege} ON {rest}"))
    });
    cut.collect()
}

fn less(mut grants: Vec<String>, index: usize) -> Vec<String> {
    grants.remove(index);
    grants
}

/// `SELECT`, `INSERT`; an UPDATE of two columns counts as one of each.
fn parts(privileges: &str) -> Vec<String> {
    match privileges.strip_prefix("UPDATE (") {
        Some(columns) => columns.trim_end_matches(')').split(", ").map(|column| format!("UPDATE ({column})")).collect(),
        None => privileges.split(", ").map(str::to_owned).collect(),
    }
}

#[test]
fn doctor_gets_exactly_what_it_needs() {
    exactly_what_is_needed("doctor", &[Work { before: &[], run: &["doctor"] }]);
}

#[test]
fn verify_gets_exactly_what_it_needs() {
    let dry = Work { before: &[], run: &["copy", "--dry-run"] };
    let explain = Work { before: COPY, run: &["explain", "image/avatar-0.png"] };
    exactly_what_is_needed("verify", &[Work { before: COPY, run: VERIFY }, explain, dry]);
}

#[test]
fn copy_gets_exactly_what_it_needs() {
    exactly_what_is_needed("copy", &[Work { before: &[], run: &["copy"] }]);
}

#[test]
fn fence_gets_exactly_what_it_needs() {
    let check = Work { before: COPY, run: &["fence", "--apply", "--yes"] };
    exactly_what_is_needed("fence", &[check, Work { run: &["fence", "--apply", "--yes", "--trigger"], ..check }]);
}

#[test]
fn finalize_gets_exactly_what_it_needs() {
    exactly_what_is_needed("finalize", &[Work { before: COPY, run: FINALIZE }]);
}

#[test]
fn resolve_gets_exactly_what_it_needs() {
    let keep = |run| Work { before: &[], run };
    let target = keep(&["resolve", "image/avatar-9.png", "--keep", "target", "--yes"]);
    let source = keep(&["resolve", "image/avatar-9.png", "--keep", "source", "--yes"]);
    exactly_what_is_needed("resolve", &[target, source]);
}

#[test]
fn rollback_gets_exactly_what_it_needs() {
    exactly_what_is_needed("rollback", &[Work { before: COPY, run: &["rollback", "--yes"] }]);
}

#[test]
fn restoring_gets_exactly_what_it_needs() {
    let restore = &["rollback", "--restore-objects", "--yes"];
    exactly_what_is_needed("restore", &[Work { before: &[&["copy"], FINALIZE], run: restore }]);
}

#[test]
fn pruning_gets_exactly_what_it_needs() {
    let prune = &["ledger", "prune", "--older-than", "0s", "--yes"];
    // The last copy is kept: there has to be one before it.
    let before: &[&[&str]] = &[&["copy"], &["rollback", "--yes"], &["copy"]];
    exactly_what_is_needed("prune", &[Work { before, run: prune }]);
}

#[test]
fn status_gets_exactly_what_it_needs() {
    exactly_what_is_needed("status", &[Work { before: COPY, run: &["status"] }]);
}
