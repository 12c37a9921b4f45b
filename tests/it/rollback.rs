//! Promise 8, undo: exactly the rows that were changed go back, byte for byte, and nothing else.

use std::io::Read;
use std::process::Stdio;
use std::time::{Duration, Instant};

use avatar_migrate_kit::Fault;

use crate::support::{Ended, World, content};

/// Tables of every kind: composite key, path in the key, no key, binary column, another character set.
const TABLES: &str = "
    CREATE TABLE members (team VARCHAR(20), no INT, picture VARCHAR(300) CHARACTER SET latin1, PRIMARY KEY (team, no));
    CREATE TABLE files (path VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin, tag INT, note VARCHAR(10),
                        PRIMARY KEY (path, tag));
    CREATE TABLE pairs (big VARCHAR(150), small VARCHAR(150), PRIMARY KEY (big, small));
    CREATE TABLE log (path VARCHAR(300), at INT);
    CREATE TABLE raw_paths (id VARBINARY(8) PRIMARY KEY, path VARBINARY(300))";

/// Everything that the tables hold, in a form in which no difference hides.
fn dump(world: &World) -> Vec<Vec<String>> {
    [
        "SELECT CONCAT_WS('|', id, HEX(path), updated_at) AS v FROM avatars",
        "SELECT CONCAT_WS('|', team, no, HEX(picture)) AS v FROM members",
        "SELECT CONCAT_WS('|', HEX(path), tag, note) AS v FROM files",
        "SELECT CONCAT_WS('|', HEX(big), HEX(small)) AS v FROM pairs",
        "SELECT CONCAT_WS('|', HEX(path), at) AS v FROM log",
        "SELECT CONCAT_WS('|', HEX(id), HEX(path)) AS v FROM raw_paths",
    ]
    .map(|sql| world.column(sql))
    .to_vec()
}

/// A world of many tables, and how many of its rows are legacy.
fn many_tables() -> (World, u64) {
    let world = World::new();
    world.sql(TABLES);
    for n in 0..6 {
        let key = format!("image/avatar-{n}.png");
        world.source(&key);
        world.rows(&[&key, &key]);
        world.sql(&format!(
            "INSERT INTO members VALUES ('a\"b\\\\', {n}, '{key}'), ('é', {n}, NULL);
             INSERT INTO files VALUES ('{key}', 1, 'x'), ('{key}', 2, NULL);
             INSERT INTO pairs VALUES ('{key}', '{key}');
             INSERT INTO log VALUES ('{key}', {n}), ('{key}', {n}), ('other', {n});
             INSERT INTO raw_paths VALUES (X'00FF0{n}', '{key}')"
        ));
    }
    // Modern already: no journal line, so it stays.
    world.target("avatar/avatar-old.png", "image/avatar-old.png");
    world.rows(&["avatar/avatar-old.png", "image/logo.png"]);
    (world, 6 * (2 + 1 + 2 + 2 + 2 + 1))
}

/// The classic table with `count` objects, copied.
fn copied(count: usize) -> World {
    let world = World::new();
    for n in 0..count {
        let key = format!("image/avatar-{n}.png");
        world.source(&key);
        world.rows(&[&key]);
    }
    world.run(&["copy"]).exits(0);
    world
}

#[test]
fn every_row_of_every_kind_of_table_goes_back_byte_for_byte() {
    let (world, legacy) = many_tables();
    let before = dump(&world);
    for _ in 0..2 {
        let copied = world.run(&["copy"]).exits(0);
        assert_eq!(copied.number("/rows/updated"), legacy);
        let after_copy = dump(&world);

        let dry = world.run(&["rollback", "--dry-run"]).exits(0);
        assert_eq!((dry.number("/rows/planned"), dry.number("/rows/restored")), (legacy, legacy));
        assert_eq!(dump(&world), after_copy, "a dry run writes nothing");

        let back = world.run(&["rollback", "--yes"]).exits(0);
        assert_eq!(back.number("/rows/planned"), legacy);
        assert_eq!(back.number("/rows/restored"), legacy);
        assert_eq!(back.number("/rows/left"), 0);
        assert_eq!(dump(&world), before);

        let again = world.run(&["rollback", "--yes"]).exits(0);
        assert_eq!(again.number("/rows/planned"), 0, "what is undone is not undone twice");
    }
    let ledger = world.ledger();
    let open = world.column(&format!("SELECT COUNT(*) AS v FROM `{ledger}`.am_row_change WHERE undone_by IS NULL"));
    assert_eq!(open, ["0"]);
}

#[test]
fn what_the_application_wrote_since_is_never_overwritten() {
    let world = copied(6);
    world.sql("UPDATE avatars SET path = 'avatar/avatar-new.png' WHERE path = 'avatar/avatar-0.png'");
    world.sql("UPDATE avatars SET path = NULL WHERE path = 'avatar/avatar-1.png'");
    world.sql("UPDATE avatars SET path = 'avatar/avatar-2.PNG' WHERE path = 'avatar/avatar-2.png'");
    world.sql("DELETE FROM avatars WHERE path = 'avatar/avatar-3.png'");
    // Its object is not needed any more, so that its absence refuses nothing.
    world.s3.remove("legacy-s3", "image/avatar-0.png");
    let back = world.run(&["rollback", "--yes"]).exits(0);
    assert_eq!(back.number("/rows/planned"), 6);
    assert_eq!(back.number("/rows/changed"), 4);
    assert_eq!(back.number("/rows/restored"), 2);
    let paths = ["avatar/avatar-2.PNG", "avatar/avatar-new.png", "image/avatar-4.png", "image/avatar-5.png", "NULL"];
    assert_eq!(world.paths(), paths);
}

#[test]
fn a_row_that_moved_twice_goes_back_by_its_last_change() {
    let world = copied(2);
    world.sql("UPDATE avatars SET path = 'image/avatar-1.png' WHERE path = 'avatar/avatar-0.png'");
    world.run(&["copy"]).exits(0);
    let back = world.run(&["rollback", "--yes"]).exits(0);
    assert_eq!(back.number("/rows/planned"), 2);
    assert_eq!(back.number("/rows/restored"), 2);
    assert_eq!(world.paths(), ["image/avatar-1.png", "image/avatar-1.png"]);
    assert_eq!(world.run(&["rollback", "--yes"]).exits(0).number("/rows/planned"), 0);
}

#[test]
fn rows_without_a_key_go_back_only_where_they_cannot_be_mistaken() {
    let world = World::bare();
    world.sql("CREATE TABLE log (path VARCHAR(300), at INT)");
    for n in 0..3 {
        world.source(&format!("image/avatar-{n}.png"));
        world.sql(&format!("INSERT INTO log VALUES ('image/avatar-{n}.png', 1), ('image/avatar-{n}.png', 2)"));
    }
    // A twin that was modern before the copy.
    world.sql("INSERT INTO log VALUES ('avatar/avatar-0.png', 3)");
    world.run(&["copy"]).exits(0);
    world.sql("DELETE FROM log WHERE path = 'avatar/avatar-1.png' AND at = 1");
    let back = world.run(&["rollback", "--yes"]).exits(3);
    assert_eq!(back.number("/rows/planned"), 6);
    assert_eq!(back.number("/rows/restored"), 2);
    assert_eq!(back.number("/rows/left"), 4);
    assert!(back.stderr.contains("4 rows without a primary key"), "{}", back.stderr);
    let legacy = world.column("SELECT CONCAT(path, at) AS v FROM log WHERE path LIKE 'image/%'");
    assert_eq!(legacy, ["image/avatar-2.png1", "image/avatar-2.png2"]);
}

#[test]
fn a_row_whose_old_path_another_row_holds_is_left() {
    let world = World::bare();
    world.sql("CREATE TABLE avatars (id INT PRIMARY KEY, path VARCHAR(200) UNIQUE)");
    for n in 0..3 {
        world.source(&format!("image/avatar-{n}.png"));
        world.sql(&format!("INSERT INTO avatars VALUES ({n}, 'image/avatar-{n}.png')"));
    }
    world.run(&["copy"]).exits(0);
    world.sql("INSERT INTO avatars VALUES (9, 'image/avatar-1.png')");
    let back = world.run(&["rollback", "--yes"]).exits(3);
    assert_eq!(back.number("/rows/restored"), 2);
    assert_eq!(back.number("/rows/left"), 1);
    let ids = world.column("SELECT id AS v FROM avatars WHERE path LIKE 'image/%'");
    assert_eq!(ids, ["0", "2", "9"]);
    world.sql("DELETE FROM avatars WHERE id = 9");
    assert_eq!(world.run(&["rollback", "--yes"]).exits(0).number("/rows/restored"), 1);
}

#[test]
fn after_finalize_objects_go_back_first_with_all_that_belongs_to_them() {
    let world = World::new();
    for n in 0..4 {
        let key = format!("image/avatar-{n}.png");
        world.source(&key);
        world.rows(&[&key]);
    }
    let before: Vec<_> = (0..4).map(|n| world.s3.object("legacy-s3", &format!("image/avatar-{n}.png"))).collect();
    world.run(&["copy"]).exits(0);
    world.run(&["finalize", "--yes"]).exits(0);
    // One picture was replaced by its user since, another one deleted.
    world.put("production-s3", "avatar/avatar-2.png", content("new"));
    world.s3.remove("production-s3", "avatar/avatar-3.png");

    let refused = world.run(&["rollback", "--yes"]).exits(4);
    assert!(refused.stderr.contains("does not hold: 4") && refused.stderr.contains("image/avatar-0.png"));
    assert!(refused.stderr.contains("--restore-objects"), "{}", refused.stderr);
    assert!(world.s3.keys("legacy-s3").is_empty());
    let dry = world.run(&["rollback", "--dry-run", "--restore-objects"]).exits(0);
    assert_eq!((dry.number("/rows/restored"), dry.number("/objects/restored")), (2, 2));
    assert!(world.s3.keys("legacy-s3").is_empty());
    assert!(world.paths().iter().all(|path| path.starts_with("avatar/")));

    let back = world.run(&["rollback", "--yes", "--restore-objects"]).exits(3);
    let numbers = ["/rows/restored", "/rows/left", "/objects/restored", "/objects/superseded", "/objects/missing"];
    assert_eq!(numbers.map(|number| back.number(number)), [2, 2, 2, 1, 1]);
    let paths = ["avatar/avatar-2.png", "avatar/avatar-3.png", "image/avatar-0.png", "image/avatar-1.png"];
    assert_eq!(world.paths(), paths);
    assert_eq!(world.s3.keys("legacy-s3"), ["image/avatar-0.png", "image/avatar-1.png"]);
    for (n, before) in before.into_iter().take(2).enumerate() {
        let (before, after) =
            (before.expect("it was there"), world.s3.object("legacy-s3", &format!("image/avatar-{n}.png")));
        let after = after.expect("it is back");
        assert_eq!((before.body, before.headers, before.tags), (after.body, after.headers, after.tags));
    }
}

#[test]
fn an_unfinished_finalize_is_waited_out() {
    let world = copied(2);
    let run = "INSERT INTO `{ledger}`.am_run (migration, command, host, pid, connection_id, started_at, heartbeat_at)
               SELECT id, 'finalize', 'elsewhere', 4711, 1, UTC_TIMESTAMP(3), UTC_TIMESTAMP(3) FROM `{ledger}`.am_migration";
    world.sql(&run.replace("{ledger}", world.ledger()));
    let refused = world.run(&["rollback", "--yes"]).exits(4);
    assert!(refused.stderr.contains("4711") && refused.stderr.contains("--restore-objects"), "{}", refused.stderr);
    let waiting = world.run(&["rollback", "--yes", "--restore-objects"]).exits(4);
    assert!(waiting.stderr.contains("--holder-is-dead"), "{}", waiting.stderr);
    let dry = world.run(&["rollback", "--dry-run"]).exits(0);
    assert!(dry.json["reasons"][0].as_str().is_some_and(|reason| reason.contains("elsewhere")), "{}", dry.json);
    assert!(world.paths().iter().all(|path| path.starts_with("avatar/")));
    let update = format!(
        "UPDATE `{}`.am_run SET heartbeat_at = heartbeat_at - INTERVAL 16 MINUTE WHERE pid = 4711",
        world.ledger()
    );
    world.sql(&update);
    world.run(&["rollback", "--yes", "--restore-objects"]).exits(0);
    assert_eq!(world.paths(), ["image/avatar-0.png", "image/avatar-1.png"]);
}

#[test]
fn a_dead_holder_need_not_be_waited_for() {
    let world = copied(1);
    let run = "INSERT INTO `{ledger}`.am_run (migration, command, host, pid, connection_id, started_at, heartbeat_at)
               SELECT id, 'finalize', 'elsewhere', 4711, 1, UTC_TIMESTAMP(3), UTC_TIMESTAMP(3) FROM `{ledger}`.am_migration";
    world.sql(&run.replace("{ledger}", world.ledger()));
    world.run(&["rollback", "--yes", "--restore-objects", "--holder-is-dead"]).exits(0);
    assert_eq!(world.paths(), ["image/avatar-0.png"]);
}

#[test]
fn without_a_terminal_and_yes_nothing_happens() {
    let world = copied(1);
    let refused = world.run(&["rollback"]).exits(4);
    assert_eq!(refused.json["command"], "rollback");
    assert!(refused.stderr.contains("--yes"), "{}", refused.stderr);
    assert_eq!(world.paths(), ["avatar/avatar-0.png"]);
}

#[test]
fn an_empty_journal_is_done_at_once_unless_it_is_the_wrong_one() {
    let world = World::new();
    world.rows(&["avatar/avatar-0.png"]);
    for arguments in [["rollback", "--yes"], ["rollback", "--dry-run"]] {
        let nothing = world.run(&arguments).exits(0);
        assert_eq!(nothing.number("/rows/planned"), 0);
    }
    let said = world.run(&["rollback", "--yes", "--format", "human"]).exits(0);
    assert!(said.stdout.starts_with("NOTHING TO ROLL BACK"), "{}", said.stdout);

    let world = copied(1);
    world.drop_ledger();
    let forgotten = world.run(&["rollback", "--yes"]).exits(0);
    assert_eq!(forgotten.number("/rows/planned"), 0, "what the journal does not know is not touched");
    assert_eq!(world.paths(), ["avatar/avatar-0.png"]);

    let world = copied(1);
    let elsewhere = world.run(&["rollback", "--yes", "--name-pattern", "photo-*"]).exits(4);
    assert!(elsewhere.stderr.contains("other settings"), "{}", elsewhere.stderr);
}

#[test]
fn a_constraint_that_keeps_legacy_paths_out_refuses_and_changes_nothing() {
    let world = copied(2);
    world.sql("ALTER TABLE avatars ADD CONSTRAINT fence CHECK (path NOT REGEXP BINARY '^image/')");
    let refused = world.run(&["rollback", "--yes"]).exits(4);
    assert!(refused.stderr.contains("fence"), "{}", refused.stderr);
    assert_eq!(world.paths(), ["avatar/avatar-0.png", "avatar/avatar-1.png"]);
    world.sql("ALTER TABLE avatars DROP CONSTRAINT fence");
    world.run(&["rollback", "--yes"]).exits(0);
    assert_eq!(world.paths(), ["image/avatar-0.png", "image/avatar-1.png"]);
}

#[test]
fn killed_in_the_middle_it_is_run_again() {
    let world = copied(30);
    world.run(&["finalize", "--yes"]).exits(0);
    // Killed among its copies: some objects are back, no row is.
    world.s3.reset_requests();
    world.s3.on_request(|seen| match seen.operation.as_str() {
        "CopyObject" if seen.nth > 12 => Fault::DelayMillis(60_000),
        _ => Fault::None,
    });
    kill_once(&world, &["rollback", "--yes", "--restore-objects"], || {
        world.s3.keys("legacy-s3").iter().any(|key| key.starts_with("image/"))
    });
    world.s3.no_faults();
    assert!(world.paths().iter().all(|path| path.starts_with("avatar/")));
    // Killed in its transaction, which waits for a row that somebody else holds: all or nothing.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let mut holder = runtime.block_on(world.database.connect()).expect("a connection");
    runtime.block_on(async {
        for sql in ["START TRANSACTION", "SELECT * FROM avatars WHERE id = 20 FOR UPDATE"] {
            sqlx::query(sql).execute(&mut holder).await.expect(sql);
        }
    });
    let waits = "SELECT COUNT(*) AS v FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'";
    kill_once(&world, &["rollback", "--yes", "--restore-objects"], || world.column(waits) != ["0"]);
    runtime.block_on(async {
        sqlx::query("ROLLBACK").execute(&mut holder).await.expect("ROLLBACK");
    });
    assert!(world.paths().iter().all(|path| path.starts_with("avatar/")));
    let back = world.run(&["rollback", "--yes", "--restore-objects", "--lock-wait", "30s"]).exits(0);
    assert_eq!(back.number("/rows/restored"), 30);
    assert!(world.paths().iter().all(|path| path.starts_with("image/")));
    assert_eq!(world.s3.keys("legacy-s3").len(), 30, "no scratch object is left");
    for n in 0..30 {
        let key = format!("image/avatar-{n}.png");
        assert_eq!(world.body("legacy-s3", &key), Some(content(&key)));
    }
}

/// Starts the program and kills it as soon as `reached` says so.
fn kill_once(world: &World, arguments: &[&str], reached: impl Fn() -> bool) {
    let mut command = world.command(&world.database.url(), arguments);
    let mut child = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().expect("the program starts");
    let begun = Instant::now();
    while !reached() {
        if begun.elapsed() > Duration::from_secs(60) || child.try_wait().expect("a child").is_some() {
            child.kill().expect("a kill");
            let mut said = String::new();
            let stderr = child.stderr.as_mut().expect("a pipe");
            stderr.read_to_string(&mut said).expect("text");
            panic!("the program did not come to where it is to be killed:\n{said}");
        }
        // InnoDB shows its transactions afresh only to who has not asked for a tenth of a second.
        std::thread::sleep(Duration::from_millis(200));
    }
    child.kill().expect("a kill");
    child.wait().expect("its end");
}

/// A delete that was still on its way arrives between the look at the sources and COMMIT.
#[test]
fn a_source_that_vanishes_before_commit_is_copied_back_or_reported() {
    for (restores, code, missing) in [(true, 0, 0), (false, 3, 1)] {
        let world = copied(3);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let mut holder = runtime.block_on(world.database.connect()).expect("a connection");
        runtime.block_on(async {
            for sql in ["START TRANSACTION", "SELECT * FROM avatars FOR UPDATE"] {
                sqlx::query(sql).execute(&mut holder).await.expect(sql);
            }
        });
        let arguments =
            if restores { vec!["rollback", "--yes", "--restore-objects"] } else { vec!["rollback", "--yes"] };
        let mut command = world.command(&world.database.url(), &arguments);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
        let waiting = format!(
            "SELECT COUNT(*) AS v FROM information_schema.processlist
             WHERE db = '{}' AND info LIKE 'INSERT%FOR UPDATE%'",
            world.database.name()
        );
        let begun = Instant::now();
        while world.column(&waiting) == ["0"] {
            assert!(begun.elapsed() < Duration::from_secs(30), "it never waits for the row");
            std::thread::sleep(Duration::from_millis(100));
        }
        world.s3.remove("legacy-s3", "image/avatar-1.png");
        runtime.block_on(async { sqlx::query("ROLLBACK").execute(&mut holder).await.expect("ROLLBACK") });
        let output = child.wait_with_output().expect("its end");
        let back = Ended::of(&output, world.directory.path()).exits(code);
        assert_eq!(back.number("/rows/restored"), 3);
        assert_eq!(back.number("/objects/missing"), missing);
        assert_eq!(back.number("/objects/restored"), u64::from(restores));
        assert_eq!(world.body("legacy-s3", "image/avatar-1.png").is_some(), restores);
    }
}
