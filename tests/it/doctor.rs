//! `doctor`: all well in a healthy world; whatever is wrong is named, hides nothing else, and nothing stays behind.

use std::collections::BTreeMap;

use avatar_migrate_kit::{Fault, Ignored, Mariadb, MariadbOptions};
use aws_sdk_s3::types::{
    BucketLifecycleConfiguration, BucketVersioningStatus, ExpirationStatus, LifecycleExpiration, LifecycleRule,
    LifecycleRuleFilter, ObjectLockConfiguration, ObjectLockEnabled, VersioningConfiguration,
};

use crate::process::Gate;
use crate::support::{Ended, World};

/// Side and name of each check that did not pass, with status and text.
pub(crate) fn complaints(ended: &Ended) -> BTreeMap<String, String> {
    let checks = ended.json["checks"].as_array().unwrap_or_else(|| panic!("no checks in {}", ended.stdout));
    let text = |check: &serde_json::Value, field: &str| check[field].as_str().unwrap_or_default().to_owned();
    let bad = checks.iter().filter(|check| check["status"] != "pass");
    bad.map(|check| {
        assert_ne!(text(check, "advice"), "", "no advice in {check}");
        let name = format!("{} {}", text(check, "side"), text(check, "name"));
        (name, format!("{}: {} -> {}", text(check, "status"), text(check, "found"), text(check, "advice")))
    })
    .collect()
}

/// Demands that exactly these checks complain, each with a part of its text.
#[track_caller]
pub(crate) fn complains(ended: &Ended, expected: &[(&str, &str)]) {
    let found = complaints(ended);
    let names: Vec<&str> = found.keys().map(String::as_str).collect();
    let mut wanted: Vec<&str> = expected.iter().map(|(name, _)| *name).collect();
    wanted.sort_unstable();
    assert_eq!(names, wanted, "{found:#?}");
    for (name, part) in expected {
        assert!(found[*name].contains(part), "`{part}` is not in {}", found[*name]);
    }
}

#[track_caller]
fn nothing_stays(world: &World) {
    for bucket in ["legacy-s3", "production-s3"] {
        let scratch: Vec<String> =
            world.s3.keys(bucket).into_iter().filter(|key| key.starts_with(".avatar-migrate/")).collect();
        assert!(scratch.is_empty(), "{bucket}: {scratch:?}");
    }
}

#[test]
fn a_healthy_world_passes_every_check_and_nothing_is_written() {
    let world = World::new();
    world.avatars(3);
    let before = world.column("SELECT CONCAT(path, updated_at) AS v FROM avatars");
    let healthy = world.run(&["doctor"]).exits(0);
    complains(&healthy, &[]);
    assert_eq!(healthy.json["command"], "doctor");
    assert!(healthy.number("/requests/put") > 0);
    let names: Vec<String> =
        healthy.json["checks"].as_array().expect("checks").iter().map(|c| c["name"].to_string()).collect();
    for name in ["reach", "conditional delete", "copy conditions", "listing", "lifecycle", "clock", "binlog", "ledger"]
    {
        assert!(names.contains(&format!("\"{name}\"")), "{name} is not among {names:?}");
    }
    nothing_stays(&world);
    assert_eq!(world.column("SELECT CONCAT(path, updated_at) AS v FROM avatars"), before);
    let ledger =
        format!("SELECT schema_name AS v FROM information_schema.schemata WHERE schema_name = '{}'", world.ledger());
    assert!(world.column(&ledger).is_empty(), "no ledger was made");
    // For people: no line is wider than a terminal, but for what must be copied whole.
    let human = world.run(&["doctor", "--format", "human"]).exits(0);
    assert!(human.stdout.starts_with("READY: 0 failures, 0 warnings"), "{}", human.stdout);
    assert!(human.stdout.lines().all(|line| line.chars().count() <= 80), "{}", human.stdout);
}

#[test]
fn a_server_that_ignores_conditions_is_told_check_by_check() {
    let world = World::new();
    world.avatars(1);
    let delete = ("source conditional delete", "fail: the server ignores conditions on deletes");
    let copy = ("target copy conditions", "would overwrite");
    let order = [("source listing", "not listed in byte order"), ("target listing", "warn: ")];
    let slashes = [("source listing", "`a//b`"), ("target listing", "`a//b`")];
    let etags = [("source listing", "fail: objects are listed without"), ("target listing", "fail: ")];
    let wrong = ("target copy checksum", "fail: the SHA-256");
    for (ignored, code, expected) in [
        (vec![Ignored::Delete], 3, vec![delete]),
        (vec![Ignored::DeleteBatch], 0, vec![]),
        (vec![Ignored::Target], 0, vec![copy]),
        (vec![Ignored::CopySource], 0, vec![("target copy conditions", "a source that changed")]),
        (vec![Ignored::ListOrder], 0, order.to_vec()),
        (vec![Ignored::ListDoubleSlashes], 0, slashes.to_vec()),
        (vec![Ignored::ListETags], 3, etags.to_vec()),
        (vec![Ignored::CopyChecksum], 0, vec![]),
        (vec![Ignored::CopyChecksumContent], 3, vec![wrong]),
    ] {
        world.s3.ignore(&ignored);
        complains(&world.run(&["doctor"]).exits(code), &expected);
        nothing_stays(&world);
    }
}

#[test]
fn a_bucket_that_is_wrong_hides_neither_the_other_one_nor_the_database() {
    let world = World::new();
    world.avatars(1);
    complains(
        &world.run(&["doctor", "--target-bucket", "no-such-bucket"]).exits(3),
        &[("target reach", "check --source-bucket and --target-bucket")],
    );
    let both = |name: &str, value: &str| {
        let mut command = world.command(&world.database.url(), &["doctor"]);
        for side in ["SOURCE", "TARGET"] {
            command.env(name.replace("{}", side), value);
        }
        Ended::of(&command.output().expect("it starts"), world.directory.path()).exits(3)
    };
    let refused = both("AWS_SECRET_ACCESS_KEY", "not-the-secret");
    complains(&refused, &[("source reach", "SignatureDoesNotMatch"), ("target reach", "check the AWS profile")]);
    assert!(!refused.stdout.contains("not-the-secret") && !refused.stderr.contains("not-the-secret"));
    let gone = both("AVATAR_MIGRATE_{}_ENDPOINT_URL", "http://127.0.0.1:1");
    complains(&gone, &[("source reach", "and that the server is running"), ("target reach", "Connection refused")]);
    assert!(gone.stdout.contains("\"found\":\"avatars.path: 1 legacy, 0 modern\""), "{}", gone.stdout);
    nothing_stays(&world);
}

#[test]
fn a_database_that_is_out_of_reach_hides_no_bucket() {
    let world = World::new();
    world.s3.ignore(&[Ignored::Delete]);
    let password = "s3cret-canary";
    let url = format!("mysql://nobody:{password}@127.0.0.1:1/production");
    let ended = world.run_as(&url, &["doctor"]).exits(3);
    complains(&ended, &[("database reach", "check host and port"), ("source conditional delete", "fail")]);
    let url = world.database.url().replacen("root:", "root:x", 1);
    let wrong = world.run_as(&url, &["doctor"]).exits(3);
    complains(&wrong, &[("database reach", "check the user name and the password"), ("source conditional delete", "")]);
    for ended in [ended, wrong] {
        for secret in [password, Mariadb::shared().root_password(), world.s3.secret_key()] {
            assert!(!ended.stdout.contains(secret) && !ended.stderr.contains(secret), "a secret is shown");
        }
    }
}

#[test]
fn settings_that_cannot_be_used_exit_2() {
    let world = World::new();
    world.avatars(1);
    world.run(&["doctor", "--concurrency", "none"]).exits(2);
    let here = world.run(&["doctor", "--temp-dir", "/no/such/directory"]).exits(3);
    complains(&here, &[("machine temporary files", "--temp-dir")]);
}

#[test]
fn missing_permissions_of_a_bucket_are_named() {
    let world = World::new();
    world.avatars(1);
    let deny = |operation: &'static str, bucket: &'static str| {
        world.s3.on_request(move |request| {
            let meant = request.operation == operation && request.bucket.as_deref() == Some(bucket);
            if meant { Fault::Status(403, "AccessDenied".to_owned()) } else { Fault::None }
        });
        world.run(&["doctor"]).exits(if operation.starts_with("GetB") { 0 } else { 3 })
    };
    complains(&deny("HeadObject", "legacy-s3"), &[("source read", "s3:GetObject"), ("source conditional delete", "")]);
    complains(
        &deny("PutObject", "production-s3"),
        &[
            ("target write and delete", "grant s3:PutObject"),
            ("target copy conditions", "unknown: not tried"),
            ("target copy checksum", "unknown"),
            ("target listing", "unknown"),
        ],
    );
    complains(&deny("GetBucketVersioning", "legacy-s3"), &[("source versioning", "grant s3:GetBucketVersioning")]);
    let lifecycle = deny("GetBucketLifecycleConfiguration", "production-s3");
    complains(&lifecycle, &[("target lifecycle", "grant s3:GetLifecycleConfiguration")]);
}

#[test]
fn settings_of_buckets_that_change_what_a_delete_means_are_told() {
    let world = World::new();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime
        .block_on(async {
            let client = world.s3.client();
            let versioning = VersioningConfiguration::builder().status(BucketVersioningStatus::Suspended).build();
            client.put_bucket_versioning().bucket("legacy-s3").versioning_configuration(versioning).send().await?;
            let lock = ObjectLockConfiguration::builder().object_lock_enabled(ObjectLockEnabled::Enabled).build();
            client.put_object_lock_configuration().bucket("legacy-s3").object_lock_configuration(lock).send().await?;
            for (bucket, prefix) in [("production-s3", "avatar/2"), ("legacy-s3", "other/")] {
                let filter = LifecycleRuleFilter::builder().prefix(prefix).build();
                let expiration = LifecycleExpiration::builder().days(30).build();
                let rule = LifecycleRule::builder().id("tidy").status(ExpirationStatus::Enabled).filter(filter);
                let rules =
                    BucketLifecycleConfiguration::builder().rules(rule.expiration(expiration).build()?).build()?;
                let put = client.put_bucket_lifecycle_configuration().bucket(bucket);
                put.lifecycle_configuration(rules).send().await?;
            }
            anyhow::Ok(())
        })
        .expect("settings");
    world.avatars(1);
    complains(
        &world.run(&["doctor"]).exits(3),
        &[
            ("source versioning", "warn: suspended"),
            ("source object lock", "without a default retention"),
            ("target lifecycle", "fail: below avatar/: rule `tidy` deletes objects after 30 days"),
        ],
    );
}

#[test]
fn one_bucket_under_two_names_is_seen() {
    let world = World::new();
    world.avatars(1);
    world.s3.alias_bucket("access-point", "legacy-s3");
    let apart = world.run(&["doctor", "--target-bucket", "access-point"]).exits(0);
    complains(&apart, &[("target two buckets", "their prefixes do not overlap")]);
    let inside = ["--modern-key-prefix", "image/new/"];
    let overlapping = world.run(&[&["doctor", "--target-bucket", "access-point"][..], &inside].concat()).exits(3);
    complains(&overlapping, &[("target two buckets", "finalize would delete what rows point at")]);
    nothing_stays(&world);
}

#[test]
fn grants_that_are_missing_are_named_phase_by_phase() {
    let world = World::new();
    world.avatars(1);
    let url = |grants: &[&str]| {
        let filled: Vec<String> = grants
            .iter()
            .map(|g| g.replace("{db}", world.database.name()).replace("{ledger}", world.ledger()))
            .collect();
        let (name, password) =
            Mariadb::shared().user(&filled.iter().map(String::as_str).collect::<Vec<_>>()).expect("a user");
        Mariadb::shared().user_url(&name, &password, world.database.name())
    };
    let hidden = [("database triggers", "GRANT TRIGGER"), ("database replica", "unknown")];
    let reader = world.run_as(&url(&["GRANT SELECT ON `{db}`.* TO {user}"]), &["doctor"]).exits(3);
    let no_ledger = format!("CREATE DATABASE IF NOT EXISTS `{}`", world.ledger());
    let missing = [("database grants", "GRANT SELECT, UPDATE (`path`, `updated_at`)"), ("database ledger", &no_ledger)];
    complains(&reader, &[hidden.as_slice(), &missing].concat());
    let writer = ["GRANT SELECT, UPDATE ON `{db}`.avatars TO {user}", "GRANT ALL PRIVILEGES ON `{ledger}`.* TO {user}"];
    complains(&world.run_as(&url(&writer), &["doctor"]).exits(0), &hidden);
    let all = [writer[0], writer[1], "GRANT TRIGGER ON `{db}`.* TO {user}", "GRANT REPLICA MONITOR ON *.* TO {user}"];
    complains(&world.run_as(&url(&all), &["doctor"]).exits(0), &[]);
    let copies = [writer[0], "GRANT SELECT, INSERT, UPDATE, DELETE, CREATE ON `{ledger}`.* TO {user}", all[2], all[3]];
    complains(
        &world.run_as(&url(&copies), &["doctor"]).exits(0),
        &[("database ledger", "warn: the user may not roll")],
    );
    let blind = world.run_as(&url(&["GRANT CREATE TEMPORARY TABLES ON `{db}`.* TO {user}"]), &["doctor"]).exits(3);
    assert!(complaints(&blind)["database references"].contains("GRANT SELECT ON"), "{}", blind.stdout);
}

/// The privileges of a role count where it is the user's default role.
#[test]
fn privileges_of_a_role_count() {
    let world = World::new();
    world.avatars(1);
    let role = format!("role_{}", world.ledger());
    let (db, ledger) = (world.database.name(), world.ledger());
    let (name, password) = Mariadb::shared().user(&[]).expect("a user");
    Mariadb::shared()
        .execute(&format!(
            "CREATE ROLE `{role}`; GRANT ALL ON `{db}`.* TO `{role}`; GRANT ALL ON `{ledger}`.* TO `{role}`;
             GRANT `{role}` TO '{name}'@'127.0.0.1'; SET DEFAULT ROLE `{role}` FOR '{name}'@'127.0.0.1'"
        ))
        .expect("a role");
    let url = Mariadb::shared().user_url(&name, &password, db);
    complains(&world.run_as(&url, &["doctor"]).exits(0), &[("database replica", "unknown")]);
}

#[test]
fn rows_and_tables_that_stand_in_the_way_are_told() {
    let world = World::new();
    world.avatars(2);
    world.rows(&["IMAGE/avatar-1.png"]);
    world.sql(
        "CREATE TABLE old (id INT PRIMARY KEY, path VARCHAR(200)) ENGINE=MyISAM;
         INSERT INTO old VALUES (1, 'image/avatar-0.png');
         CREATE TABLE notes (id INT PRIMARY KEY, text TEXT);
         INSERT INTO notes VALUES (1, 'look at image/avatar-0.png, please');
         ALTER TABLE avatars ADD kind VARCHAR(9) AS (RIGHT(path, 4)) STORED, ADD twice INT AS (id * 2) VIRTUAL;
         CREATE TRIGGER stamp AFTER UPDATE ON avatars FOR EACH ROW SET @moved = 1",
    );
    complains(
        &world.run(&["doctor"]).exits(3),
        &[
            ("database reference", "avatars.path: 2 legacy, 0 modern, 1 suspect"),
            ("database schema", "uses MyISAM"),
            ("database mentions", "1 longer text mentions"),
            ("database triggers", "stamp AFTER UPDATE on avatars"),
            ("database generated columns", "warn: avatars.kind ->"),
        ],
    );
    let chosen = world.run(&["doctor", "--reference", "avatars.path"]).exits(3);
    assert!(chosen.stdout.contains("old.path: 1 legacy, 0 modern; not among the references"), "{}", chosen.stdout);
    let empty = World::new();
    complains(&empty.run(&["doctor"]).exits(0), &[("database references", "no row holds a legacy or a modern path")]);
}

#[test]
fn a_server_that_cannot_move_rows_is_told_and_judged_to_the_end() {
    let extra = vec![
        "--binlog-format=STATEMENT".to_owned(),
        "--max-binlog-cache-size=12288".to_owned(),
        "--sql-mode=".to_owned(),
    ];
    let server = Mariadb::start(MariadbOptions { extra, ..MariadbOptions::default() }).expect("a server");
    let insert = "USE production; INSERT INTO avatars SELECT CONCAT('image/avatar-', seq, '.png') FROM seq_1_to_200";
    server
        .execute(&format!(
            "CREATE DATABASE production; CREATE TABLE production.avatars (path VARCHAR(200)); SET binlog_format = ROW; \
         SET GLOBAL max_binlog_cache_size = 1 << 20; {insert}; SET GLOBAL max_binlog_cache_size = 12288; \
         SET GLOBAL read_only = ON"
        ))
        .expect("a table");
    let world = World::bare();
    let too_large = ("database transaction", "more than max_binlog_cache_size");
    let told = [
        ("database binlog", "MIXED or ROW"),
        ("database read only", "connect to the primary"),
        ("database grants", "warn: unknown"),
        ("database sql mode", "warn: not strict"),
        too_large,
    ];
    complains(&world.run_as(&server.root_url("production"), &["doctor"]).exits(3), &told);
    let pieces = world.run_as(&server.root_url("production"), &["doctor", "--transaction-rows", "10"]).exits(3);
    complains(&pieces, &told[..4]);
    server.execute("CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_USER = 'nobody'").expect("a replica");
    let replica = world.run_as(&server.root_url("production"), &["doctor"]).exits(3);
    assert!(
        complaints(&replica)["database replica"].contains("set up as a replica of another one"),
        "{}",
        replica.stdout
    );
}

#[test]
fn a_run_at_work_is_named_and_not_disturbed() {
    let world = World::new();
    world.avatars(3);
    // In the middle of the canaries of a copy, whose scratch objects doctor must leave alone.
    let gate = Gate::at(&world.s3, |request| {
        request.operation == "CopyObject"
            && request.key.as_deref().is_some_and(|key| key.starts_with(".avatar-migrate/canary"))
    });
    let copy = world.start(&["copy"]);
    gate.wait();
    let pid = copy.pid().to_string();
    complains(&world.run(&["doctor"]).exits(0), &[("database run lock", &format!("held by process {pid}"))]);
    gate.open();
    let copied = copy.ended().exits(0);
    assert!(!copied.stderr.contains("the endpoint"), "all conditions were proved: {}", copied.stderr);
    nothing_stays(&world);
}

#[test]
fn the_aws_cli_is_looked_for_where_it_is_needed() {
    let world = World::new();
    world.avatars(1);
    let mut command = world.command(&world.database.url(), &["doctor", "--method", "sync"]);
    command.env("PATH", world.directory.path());
    let missing = Ended::of(&command.output().expect("it starts"), world.directory.path()).exits(3);
    complains(&missing, &[("machine aws cli", "install the AWS CLI")]);
    complains(&world.run(&["doctor", "--method", "stream"]).exits(0), &[]);
}

/// Killed at every trial, run again: whatever was left behind goes, also what no listing shows.
#[test]
fn scratch_objects_of_a_killed_run_go_with_the_next_one() {
    let world = World::new();
    world.avatars(1);
    for (operation, part) in [
        ("DeleteObject", "doctor-write-"),
        ("DeleteObjects", ""),
        ("CopyObject", "doctor-copy-"),
        ("CopyObject", "doctor-checksum-"),
        ("DeleteObject", "doctor-list-"),
        ("HeadObject", "doctor-same-"),
    ] {
        for ignored in [&[][..], &[Ignored::ListDoubleSlashes]] {
            world.s3.ignore(ignored);
            let gate = Gate::at(&world.s3, move |request| {
                request.operation == operation && request.key.as_deref().unwrap_or_default().contains(part)
            });
            let running = world.start(&["doctor"]);
            gate.wait();
            running.kill();
            world.s3.no_faults();
            let left = |bucket| world.s3.keys(bucket).iter().any(|key| key.starts_with(".avatar-migrate/"));
            assert!(left("legacy-s3") || left("production-s3"), "{operation} {part}: the kill came too late");
            world.run(&["doctor"]).exits(0);
            nothing_stays(&world);
            gate.open();
        }
    }
}
