//! Least privilege: what README lists suffices, phase by phase; a missing grant is named so that it can be run as it
//! stands.

use avatar_migrate_kit::Mariadb;

use crate::support::{Ended, World};

/// A user with these grants; `{db}` and `{ledger}` stand for the schemas. Gives the URL.
pub(crate) fn user(world: &World, grants: &[&str]) -> String {
    let filled = grants.iter().map(|g| g.replace("{db}", world.database.name()).replace("{ledger}", world.ledger()));
    let filled: Vec<String> = filled.collect();
    let (name, password) =
        Mariadb::shared().user(&filled.iter().map(String::as_str).collect::<Vec<_>>()).expect("a user");
    Mariadb::shared().user_url(&name, &password, world.database.name())
}

pub(crate) const LEDGER: &str = "GRANT ALL PRIVILEGES ON `{ledger}`.* TO {user}";
const SELECT: &str = "GRANT SELECT (path, updated_at) ON `{db}`.avatars TO {user}";
const UPDATE: &str = "GRANT UPDATE (path, updated_at) ON `{db}`.avatars TO {user}";

/// Demands exit 2 and a hint with statements to run; runs them as root, as they stand.
#[track_caller]
pub(crate) fn run_the_hint(world: &World, refused: Ended, expected: &[&str]) {
    let refused = refused.exits(2);
    let hint = refused.stderr.lines().find(|line| line.starts_with(" hint:")).expect("a hint");
    let (_, statements) = hint.split_once("database: ").unwrap_or_else(|| panic!("no statements in {hint}"));
    for part in expected {
        assert!(statements.contains(part), "{part} is not in {statements}");
    }
    assert!(statements.ends_with(';'), "{statements}");
    world.database.mariadb().execute(statements).unwrap_or_else(|error| panic!("{statements}: {error:#}"));
}

#[test]
fn the_grants_of_the_columns_alone_suffice_for_all_phases() {
    let world = World::new();
    world.avatars(30);
    let reader = user(&world, &[SELECT]);
    let writer = user(&world, &[SELECT, UPDATE, LEDGER]);

    let before = world.run_as(&reader, &["verify", "--report", "before.csv"]).exits(3);
    assert_eq!(before.number("/rows/legacy"), 30);
    assert_eq!(world.run_as(&writer, &["copy"]).exits(0).number("/rows/updated"), 30);
    // The ledger exists now, and this user may not even see it.
    let verified = world.run_as(&reader, &["verify", "--report", "out.csv"]).exits(0);
    assert_eq!(verified.number("/objects/verified"), 30);
    assert_eq!(world.run_as(&writer, &["finalize", "--yes"]).exits(0).number("/objects/deleted"), 30);
    world.every_row_resolves();
    let touched = world.column("SELECT COUNT(*) AS v FROM avatars WHERE updated_at <> '2020-01-01 00:00:00'");
    assert_eq!(touched, ["0"], "ON UPDATE CURRENT_TIMESTAMP columns keep their values");
    // Nothing is left to delete, and the schema and the ledger of a reader are the same to it.
    world.run_as(&reader, &["verify", "--report", "out.csv"]).exits(0);
}

#[test]
fn the_grants_of_the_table_suffice() {
    let world = World::new();
    world.avatars(3);
    let writer = user(&world, &["GRANT SELECT, UPDATE ON `{db}`.avatars TO {user}", LEDGER]);
    world.run_as(&writer, &["copy"]).exits(0);
    world.run_as(&writer, &["verify", "--report", "out.csv"]).exits(0);
    world.run_as(&writer, &["finalize", "--yes"]).exits(0);
    world.every_row_resolves();
}

#[test]
fn a_missing_update_is_named_and_granted() {
    let world = World::new();
    world.avatars(3);
    for grants in [vec![SELECT, LEDGER], vec![SELECT, "GRANT UPDATE (path) ON `{db}`.avatars TO {user}", LEDGER]] {
        let url = user(&world, &grants);
        let before = (world.paths(), world.s3.keys("production-s3"));
        let refused = world.run_as(&url, &["copy"]);
        assert!(before == (world.paths(), world.s3.keys("production-s3")), "nothing moves before the grants are there");
        run_the_hint(&world, refused, &["UPDATE (`path`, `updated_at`)", "`avatars`"]);
        world.run_as(&url, &["copy", "--limit", "1"]).exits(3);
    }
}

#[test]
fn a_missing_select_is_named_and_granted() {
    let world = World::new();
    world.avatars(3);
    for (command, grants) in [
        (&["copy"][..], &[UPDATE, LEDGER][..]),
        (&["verify", "--report", "out.csv"], &[UPDATE]),
        (&["finalize", "--yes"], &[UPDATE, LEDGER]),
        // Not even the schema is visible.
        (&["verify", "--report", "out.csv"], &[]),
        (&["copy"], &[LEDGER]),
        // The schema is, but the table is not; it is asked for by name.
        (
            &["verify", "--report", "out.csv", "--reference", "avatars.path"],
            &["GRANT CREATE TEMPORARY TABLES ON `{db}`.* TO {user}"],
        ),
    ] {
        let url = user(&world, grants);
        run_the_hint(&world, world.run_as(&url, command), &["GRANT SELECT"]);
        let next = world.run_as(&url, command);
        // The cutover's privileges are another matter, and are named after these.
        let granted = next.code != 2 || next.stderr.contains("UPDATE command denied");
        assert!(granted, "{command:?} {grants:?}: {}", next.stderr);
    }
}

#[test]
fn a_missing_ledger_is_created_by_the_statements_of_the_hint() {
    let world = World::new();
    world.avatars(3);
    let url = user(&world, &[SELECT, UPDATE]);
    let create = format!("CREATE DATABASE IF NOT EXISTS `{}`", world.ledger());
    // An underscore in the schema of a grant stands for any character.
    let grant = format!("GRANT ALL PRIVILEGES ON `{}`.* TO", world.ledger().replace('_', r"\_"));
    run_the_hint(&world, world.run_as(&url, &["copy"]), &[&create, &grant]);
    world.run_as(&url, &["copy"]).exits(0);
    world.run_as(&url, &["finalize", "--yes"]).exits(0);
    world.every_row_resolves();
}

#[test]
fn a_ledger_that_may_only_be_read_is_granted() {
    let world = World::new();
    world.avatars(3);
    world.sql(&format!("CREATE DATABASE `{}`", world.ledger()));
    for part in ["GRANT SELECT ON `{ledger}`.* TO {user}", "GRANT SELECT, CREATE ON `{ledger}`.* TO {user}"] {
        let url = user(&world, &[SELECT, UPDATE, part]);
        run_the_hint(&world, world.run_as(&url, &["copy"]), &["GRANT ALL PRIVILEGES"]);
        world.run_as(&url, &["copy"]).exits(0);
    }
}

#[test]
fn the_ledger_may_live_in_the_migrated_schema_or_in_another_one() {
    let world = World::new();
    world.avatars(5);
    let name = world.database.name();
    let url = user(&world, &["GRANT ALL PRIVILEGES ON `{db}`.* TO {user}"]);
    let other = Mariadb::shared().database();
    for schema in [name, other.name()] {
        let of = |arguments: &[&str]| {
            world.run_as(&world.database.url(), &[arguments, &["--ledger-schema", schema]].concat())
        };
        of(&["copy"]).exits(0);
        let verified = of(&["verify", "--report", "out.csv"]).exits(0);
        assert_eq!(verified.number("/rows/legacy"), 0, "the ledger's own tables are no references");
        assert_eq!(verified.number("/mentions"), 0);
    }
    world.run_as(&url, &["copy", "--ledger-schema", name]).exits(0);
    world.run_as(&url, &["finalize", "--yes", "--ledger-schema", name]).exits(0);
    world.every_row_resolves();
    assert_eq!(world.column("SELECT COUNT(*) AS v FROM am_object WHERE state = 'deleted'"), ["5"]);
}

/// To a user who sees none of the tables a full schema looks like an empty one: that must not pass for done.
#[test]
fn a_user_who_sees_no_table_is_told_so() {
    let world = World::new();
    world.avatars(2);
    let blind = user(&world, &["GRANT CREATE TEMPORARY TABLES ON `{db}`.* TO {user}", LEDGER]);
    let refused = world.run_as(&blind, &["verify", "--report", "out.csv"]);
    run_the_hint(&world, refused, &["GRANT SELECT ON"]);
    world.run_as(&blind, &["verify", "--report", "out.csv"]).exits(3);
}
