//! The fence: the database itself refuses late legacy paths, and exactly those.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use avatar_migrate_kit::{Mariadb, RequestSeen};

use crate::privileges::{LEDGER, run_the_hint, user};
use crate::process::once;
use crate::support::{World, literal};

/// Whether a request is a canary's.
fn is_scratch(seen: &RequestSeen) -> bool {
    seen.key.as_deref().is_some_and(|key| key.starts_with(".avatar-migrate/"))
}

/// Whether the database takes a statement; else its error number.
fn refused_with(world: &World, sql: &str) -> Option<u16> {
    let error = world.database.execute(sql).err()?;
    let text = format!("{error:#}");
    let number = text.split("error returned from database: ").nth(1).and_then(|rest| rest.split([' ', ':']).next());
    Some(number.and_then(|number| number.parse().ok()).unwrap_or_else(|| panic!("{text}")))
}

/// Inserts a path into the classic table; gives the error number if it is refused.
fn write(world: &World, path: &str) -> Option<u16> {
    refused_with(world, &format!("INSERT INTO avatars (path) VALUES ({})", literal(path)))
}

/// A migrated world without a fence.
fn migrated(count: usize) -> World {
    let world = World::new();
    world.avatars(count);
    world.run(&["copy"]).exits(0);
    world
}

const KINDS: [(&[&str], u16); 2] =
    [(&["fence", "--apply", "--yes"], 4025), (&["fence", "--apply", "--trigger", "--yes"], 1644)];

#[test]
fn the_fence_refuses_late_legacy_paths_and_nothing_else() {
    for (apply, number) in KINDS {
        let world = migrated(3);
        assert_eq!(world.run(&["verify"]).exits(0).json["fenced"], false);
        let applied = world.run(apply).exits(0);
        assert_eq!(applied.json["fenced"], true);
        assert_eq!(applied.json["changed"], serde_json::json!(["avatars.path"]));
        for legacy in
            ["image/avatar-9.png", "image/a/avatar-", "image/avatar-\n", "image/\n/avatar-é", "image/avatar- "]
        {
            assert_eq!(write(&world, legacy), Some(number), "{legacy:?}");
        }
        let update = "UPDATE avatars SET path = 'image/avatar-1.png' WHERE path = 'avatar/avatar-1.png'";
        assert_eq!(refused_with(&world, update), Some(number));
        for other in
            ["avatar/avatar-9.png", "image/logo.png", "image/avatar-1/x", "IMAGE/avatar-1", " image/avatar-1", ""]
        {
            assert_eq!(write(&world, other), None, "{other:?}");
        }
        assert_eq!(refused_with(&world, "INSERT INTO avatars (path) VALUES (NULL)"), None);
        // Again it does nothing, and the buckets and rows are as they were.
        let again = world.run(apply).exits(0);
        assert_eq!(
            (again.json["fenced"].as_bool(), again.json["changed"].as_array().map(Vec::len)),
            (Some(true), Some(0))
        );
        assert_eq!(world.run(&["verify"]).json["fenced"], true);
        for changed in [1, 0] {
            let dropped = world.run(&["fence", "--drop"]).exits(0);
            assert_eq!(dropped.json["changed"].as_array().map(Vec::len), Some(changed));
            assert_eq!(dropped.json["fenced"], false);
        }
        assert_eq!(write(&world, "image/avatar-9.png"), None);
        assert_eq!(world.run(&["verify"]).json["fenced"], false);
    }
}

#[test]
fn what_is_printed_can_be_run_as_it_stands() {
    let world = migrated(2);
    let (before, printed) = (world.paths(), world.run(&["fence"]).exits(0));
    assert_eq!(printed.json["fenced"], false);
    let statements = printed.json["statements"].as_array().expect("statements");
    assert_eq!(statements.len(), 1);
    let text = world.run(&["fence", "--format", "human"]).exits(0).stdout;
    assert!(text.contains("NOT REGEXP '(?s-imx)^image/(?>.*/|)avatar-[^/]*(?!.)'"), "{text}");
    assert!(text.starts_with("-- avatars.path: not fenced\n-- The tables are copied"), "{text}");
    assert_eq!((write(&world, "image/avatar-x"), world.run(&["verify"]).json["fenced"].as_bool()), (None, Some(false)));
    world.sql("DELETE FROM avatars WHERE path = 'image/avatar-x'");
    world.sql(&text);
    assert_eq!((world.paths(), world.run(&["verify"]).json["fenced"].as_bool()), (before, Some(true)));
    assert!(world.run(&["fence", "--format", "human"]).stdout.starts_with("-- avatars.path: fenced already (check)\n"));
    world.run(&["fence", "--drop"]).exits(0);
    for statement in world.run(&["fence", "--trigger"]).exits(0).json["statements"].as_array().expect("statements") {
        world.sql(statement.as_str().expect("a text"));
    }
    assert_eq!(world.run(&["verify"]).json["fenced"], true);
}

#[test]
fn a_fence_of_another_pattern_or_another_text_is_none() {
    let world = migrated(2);
    world.run(&["fence", "--apply", "--yes", "--name-pattern", "avatar-1*"]).exits(0);
    assert_eq!(world.run(&["verify", "--name-pattern", "avatar-1*"]).json["fenced"], true);
    assert_eq!(world.run(&["verify"]).json["fenced"], false);
    // The other one stays: it is not this migration's.
    world.run(&["fence", "--apply", "--yes"]).exits(0);
    assert_eq!(world.run(&["verify", "--name-pattern", "avatar-1*"]).json["fenced"], true);
    world.run(&["fence", "--drop"]).exits(0);
    assert_eq!(write(&world, "image/avatar-1"), Some(4025));
    world.run(&["fence", "--drop", "--name-pattern", "avatar-1*"]).exits(0);

    // The same name with another clause: mended by --apply.
    let applied = world.run(&["fence"]).exits(0);
    let statement = applied.json["statements"][0].as_str().expect("a text").to_owned();
    world.sql(&statement.replace("avatar-[", "bavatar-["));
    assert_eq!(world.run(&["verify"]).json["fenced"], false);
    world.run(&["fence", "--apply", "--yes"]).exits(0);
    assert_eq!(world.run(&["verify"]).json["fenced"], true);
    assert_eq!(write(&world, "image/avatar-1"), Some(4025));
}

#[test]
fn a_legacy_row_that_is_left_refuses_the_fence() {
    let world = World::new();
    world.avatars(2);
    for (apply, _) in KINDS {
        let refused = world.run(apply).exits(4);
        assert!(refused.stderr.contains("legacy rows are left in avatars.path: 2"), "{}", refused.stderr);
        assert!(refused.stderr.contains("run copy"), "{}", refused.stderr);
    }
    // A suspect one in the form of a legacy path, too long for a key: only the ALTER finds it.
    world.run(&["copy"]).exits(0);
    world.sql(
        "CREATE TABLE second (id INT PRIMARY KEY, path TEXT); INSERT INTO second VALUES (1, 'avatar/avatar-0.png')",
    );
    world.sql("INSERT INTO second VALUES (2, CONCAT('image/avatar-', REPEAT('x', 1100)))");
    let refused = world.run(&["fence", "--apply", "--yes"]).exits(4);
    assert!(refused.stderr.contains("`second` still holds"), "{}", refused.stderr);
    assert!(refused.stderr.contains("fenced before: avatars.path"), "{}", refused.stderr);
    assert_eq!(refused.json["exit_code"], 4);
    assert_eq!(world.run(&["verify"]).json["fenced"], false, "one reference of two is not the schema");
}

#[test]
fn a_long_transaction_is_not_waited_for() {
    let world = migrated(1);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let mut other = world.database.connect().await.expect("a connection");
        for sql in ["BEGIN", "SELECT * FROM avatars FOR UPDATE"] {
            sqlx::raw_sql(sql).execute(&mut other).await.expect(sql);
        }
        for (apply, _) in KINDS {
            let refused = world.run(apply).exits(4);
            assert!(refused.stderr.contains("more than 5 s"), "{}", refused.stderr);
        }
    });
    assert_eq!(world.run(&["verify"]).json["fenced"], false);
}

#[test]
fn nobody_is_asked_without_a_terminal_and_nothing_is_vacuous() {
    let world = migrated(1);
    assert!(world.run(&["fence", "--apply"]).exits(4).stderr.contains("no terminal"));
    assert_eq!(world.run(&["fence", "--apply", "--drop"]).exits(2).stdout, "");
    assert_eq!(world.run(&["verify"]).json["fenced"], false);
    let empty = World::new();
    assert!(empty.run(&["fence", "--apply", "--yes"]).exits(4).stderr.contains("nothing to fence"));
    assert!(empty.run(&["fence", "--format", "human"]).exits(0).stdout.contains("-- no column"));
    assert_eq!(empty.run(&["fence", "--drop"]).exits(0).json["fenced"], false);
    assert_eq!(empty.run(&["fence", "--apply", "--yes", "--reference", "avatars.path"]).exits(0).json["fenced"], true);
    assert_eq!(write(&empty, "image/avatar-1"), Some(4025));
    // The only row that named a path may go: the fence is found all the same.
    assert_eq!(empty.run(&["fence", "--drop"]).exits(0).json["changed"], serde_json::json!(["avatars.path"]));
}

#[test]
fn finalize_says_that_the_fence_stands_and_copy_goes_on_under_it() {
    for (apply, number) in KINDS {
        let world = migrated(3);
        world.run(apply).exits(0);
        // A legacy path written between the proof and the first delete: the database refuses it, so nothing breaks.
        let (database, tried) = (world.database.name().to_owned(), Arc::new(AtomicU64::new(0)));
        let late = Arc::clone(&tried);
        once(
            &world.s3,
            |seen| ["DeleteObject", "DeleteObjects"].contains(&seen.operation.as_str()) && !is_scratch(seen),
            move |_| {
                let sql = format!("USE `{database}`; INSERT INTO avatars (path) VALUES ('image/avatar-1.png')");
                late.fetch_add(1 + u64::from(Mariadb::shared().execute(&sql).is_ok()), Ordering::SeqCst);
            },
        );
        let finalized = world.run(&["finalize", "--yes"]).exits(0);
        world.s3.no_faults();
        assert_eq!((finalized.json["fenced"].as_bool(), finalized.number("/objects/deleted")), (Some(true), 3));
        assert_eq!(tried.load(Ordering::SeqCst), 1, "the late write was tried and refused");
        world.every_row_resolves();
        assert_eq!(write(&world, "image/avatar-1.png"), Some(number));
        // Nothing is left to copy, which is no reason to fail; new columns are found unfenced.
        world.run(&["copy"]).exits(0);
        world.sql("CREATE TABLE late (id INT PRIMARY KEY, path VARCHAR(99))");
        world.source("image/avatar-7.png");
        world.sql("INSERT INTO late VALUES (1, 'image/avatar-7.png')");
        world.run(&["copy"]).exits(0);
        assert_eq!(world.run(&["verify"]).exits(0).json["fenced"], false);
        // What is left out on purpose does not count.
        assert_eq!(world.run(&["verify", "--exclude-reference", "late.path"]).exits(0).json["fenced"], true);
    }
}

/// Triggers can be made over legacy rows by hand; a cutover takes rows away from there, which they allow.
#[test]
fn rows_can_leave_legacy_paths_under_a_fence() {
    let world = World::new();
    world.avatars(3);
    for statement in world.run(&["fence", "--trigger"]).exits(0).json["statements"].as_array().expect("statements") {
        world.sql(statement.as_str().expect("a text"));
    }
    assert_eq!(write(&world, "image/avatar-1.png"), Some(1644));
    assert_eq!(world.run(&["copy"]).exits(0).number("/rows/updated"), 3);
    world.every_row_resolves();
}

#[test]
fn rollback_takes_its_own_fence_away_and_no_other() {
    for (apply, _) in KINDS {
        let world = migrated(2);
        world.run(apply).exits(0);
        world.sql("ALTER TABLE avatars ADD CONSTRAINT other CHECK (path <> 'nonsense')");
        let before = world.paths();
        let dry = world.run(&["rollback", "--dry-run"]).exits(0);
        assert!(dry.stderr.contains("would be taken away first: avatars.path"), "{}", dry.stderr);
        assert!(world.run(&["rollback"]).exits(4).stderr.contains("no terminal"));
        assert_eq!((world.paths(), world.run(&["verify"]).json["fenced"].as_bool()), (before.clone(), Some(true)));
        // Whoever may not change the table is told what to run; without SELECT on the schema the fence is not even seen.
        for select in ["GRANT SELECT ON `{db}`.* TO {user}", "GRANT SELECT ON `{db}`.avatars TO {user}"] {
            let url = user(&world, &[select, "GRANT UPDATE ON `{db}`.avatars TO {user}", LEDGER]);
            let refused = world.run_as(&url, &["rollback", "--yes"]).exits(4);
            assert!(refused.stderr.contains("avatarMigrate fence --drop"), "{}", refused.stderr);
            assert_eq!(world.paths(), before);
        }
        let back = world.run(&["rollback", "--yes"]).exits(0);
        assert!(back.stderr.contains("the fence was taken away: avatars.path"), "{}", back.stderr);
        assert_eq!(world.paths(), ["image/avatar-0.png", "image/avatar-1.png"]);
        assert_eq!(write(&world, "nonsense"), Some(4025));
        assert_eq!(write(&world, "image/avatar-2.png"), None);
    }
}

#[test]
fn a_missing_privilege_is_named_and_granted() {
    let world = migrated(1);
    for (apply, privilege) in
        KINDS.into_iter().zip(["ALTER", "TRIGGER"]).map(|((apply, _), privilege)| (apply, privilege))
    {
        let url = user(&world, &["GRANT SELECT ON `{db}`.* TO {user}", LEDGER]);
        // Printing takes no more than reading.
        world.run_as(&url, &["fence"]).exits(0);
        let hint = format!("GRANT {privilege} ON `{}`.`avatars`", world.database.name());
        let refused = world.run_as(&url, apply);
        if refused.stderr.contains("log_bin_trust_function_creators") {
            // With a binary log, only administrators may make triggers unless the server is told otherwise.
            assert_eq!(refused.code, 2);
            world.sql("SET GLOBAL log_bin_trust_function_creators = 1");
        }
        run_the_hint(&world, world.run_as(&url, apply), &[&hint]);
        assert_eq!(world.run_as(&url, apply).exits(0).json["fenced"], true);
        // What this user cannot see is not fenced: triggers are hidden without their privilege.
        let reader = user(&world, &["GRANT SELECT ON `{db}`.* TO {user}"]);
        let seen = world.run_as(&reader, &["verify"]).json["fenced"].as_bool();
        assert_eq!(seen, Some(privilege == "ALTER"));
        world.run_as(&url, &["fence", "--drop"]).exits(0);
    }
}
