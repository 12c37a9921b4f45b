//! `explain`: rows, both objects, the ledger and the verdict of one key or path; what a report says of it, it says too.

use serde_json::Value;

use crate::privileges::user;
use crate::support::{World, content};

#[track_caller]
fn explain(world: &World, named: &str) -> Value {
    world.run(&["explain", named]).exits(0).json
}

/// Status, why and what next.
fn verdict(explained: &Value) -> [&str; 3] {
    ["status", "why", "next"].map(|key| explained[key].as_str().unwrap_or_default())
}

#[test]
fn an_object_through_its_whole_migration() {
    let world = World::new();
    world.avatars(2);
    world.rows(&["image/avatar-1.png"]);
    let before = explain(&world, "image/avatar-1.png");
    assert_eq!((&before["command"], &before["class"]), (&"explain".into(), &"legacy".into()));
    assert_eq!(verdict(&before), ["legacy", "not copied yet: run copy", "avatarMigrate copy"]);
    assert_eq!((&before["rows_total"], &before["target"]), (&2.into(), &Value::Null));
    assert_eq!(before["source"]["size"], content("image/avatar-1.png").len());
    assert_eq!((&before["recorded"], &before["moves"]), (&Value::Null, &Value::Array(Vec::new())));
    assert_eq!(world.run(&["status"]).json["state"], "new", "nothing was written");

    let copied = world.run(&["copy"]).exits(0);
    let after = explain(&world, "avatar/avatar-1.png");
    assert_eq!(verdict(&after), ["migrated", "resolves; the source is still there", ""]);
    assert_eq!((&after["class"], &after["source_key"]), (&"modern".into(), &"image/avatar-1.png".into()));
    assert_eq!(
        (&after["rows"][0]["value"], &after["rows"][0]["proof"]),
        (&"avatar/avatar-1.png".into(), &"etag".into())
    );
    assert_eq!((&after["recorded"]["state"], &after["recorded"]["run"]), (&"verified".into(), &copied.json["run"]));
    assert_eq!(after["moves"].as_array().map(Vec::len), Some(2));
    assert_eq!(after["moves"][0]["old"], "image/avatar-1.png");

    world.run(&["rollback", "--yes"]).exits(0);
    assert!(explain(&world, "image/avatar-1.png")["moves"][0]["undone_by"].is_u64());
    world.run(&["copy"]).exits(0);
    world.run(&["finalize", "--yes"]).exits(0);
    let done = explain(&world, "image/avatar-1.png");
    assert_eq!(verdict(&done), ["migrated", "resolves; the source is gone", ""]);
    assert_eq!((&done["source"], &done["recorded"]["name"]), (&Value::Null, &"finalize".into()));
}

/// Whatever verify finds of a row, explain finds of its object.
#[test]
fn it_says_what_the_report_says() {
    let world = World::new();
    world.avatars(1);
    world.rows(&[
        "image/avatar-gone.png",
        "image/avatar-taken.png",
        "avatar/avatar-broken.png",
        "avatar/avatar-new.png",
    ]);
    for key in ["image/avatar-taken.png", "image/avatar-orphan.png", "image/avatar-broken.png"] {
        world.source(key);
    }
    world.target("avatar/avatar-taken.png", "other bytes");
    world.target("avatar/avatar-new.png", "uploaded by the application");
    world.run(&["verify", "--report", "out.csv"]).exits(3);
    let report = world.report("out.csv");
    assert_eq!(report.len(), 6);
    for line in &report {
        let explained = explain(&world, &line["source_key"]);
        let [status, why, next] = verdict(&explained);
        assert_eq!((status, why), (&*line["status"], &*line["detail"]), "{explained}");
        assert_eq!(next.is_empty(), status == "migrated", "{explained}");
        assert_eq!(explained["rows_total"], u64::from(!line["primary_key"].is_empty()));
        assert_eq!(explained["target_key"], *line["target_key"]);
    }
    let conflict = explain(&world, "image/avatar-taken.png");
    assert!(verdict(&conflict)[2].ends_with("resolve 'image/avatar-taken.png' --keep source|target"), "{conflict}");
}

#[test]
fn what_names_no_object_is_explained_too() {
    let world = World::new();
    world.avatars(1);
    world.rows(&["image/logo.png", "IMAGE/avatar-1.png", "elsewhere/x.png", "elsewhere/x.png.bak"]);
    for (given, class, next, why) in [
        ("image/logo.png", "out_of_scope", "", "its name does not fit the pattern avatar-*: never touched"),
        ("IMAGE/avatar-1.png", "suspect", "correct the path, or add a mapping", "it names an in-scope legacy object"),
        ("elsewhere/x.png", "foreign", "", "it begins with no legacy prefix (image/) and no modern one"),
    ] {
        let explained = explain(&world, given);
        assert_eq!((&explained["class"], &explained["next"]), (&class.into(), &next.into()));
        assert!(verdict(&explained)[1].contains(why), "{explained}");
        assert_eq!((&explained["rows_total"], &explained["rows"][0]["value"]), (&1.into(), &given.into()));
    }
    let nothing = explain(&world, "image/avatar-nowhere.png");
    assert_eq!((&nothing["status"], &nothing["rows_total"]), (&Value::Null, &0.into()));
    assert!(verdict(&nothing)[1].starts_with("no row of the migration names it"), "{nothing}");
}

/// Spellings of one URL, a column that is left out, and many rows.
#[test]
fn every_row_that_names_the_object_is_found() {
    let world = World::new();
    world.sql("CREATE TABLE other (id INT PRIMARY KEY, text VARCHAR(200))");
    world.sql("INSERT INTO other VALUES (1, 'image/avatar-1.png'), (2, 'image/avatar-1.png.bak')");
    let url = "https://old.example/image/%61vatar-1.png?v=2";
    let paths = vec!["image/avatar-1.png"; 120];
    world.rows(&[&[url, "avatar/avatar-1.png"], &paths[..]].concat());
    world.source("image/avatar-1.png");
    let forms = "--legacy-prefix image/ --modern-prefix avatar/ --legacy-prefix https://old.example/image/ \
                 --modern-prefix https://new.example/avatar/ --exclude-reference other.text";
    let flags: Vec<&str> = forms.split_whitespace().collect();
    let explained = world.run(&[&["explain", url], &flags[..]].concat()).exits(0).json;
    assert_eq!(explained["rows_total"], 1 + 1 + 120 + 1);
    let rows = explained["rows"].as_array().expect("rows");
    assert_eq!((rows.len(), &rows[0]["value"]), (100, &url.into()));
    let text =
        world.command(&world.database.url(), &[&["explain", "--key", url, "--format", "human"], &flags[..]].concat());
    let text = crate::process::Running::start(text).ended().exits(0).stdout;
    assert!(text.starts_with("MISSING TARGET: the picture is broken: the target does not exist"), "{text}");
    assert!(text.contains("123 rows, the first 100:\n  avatars.path 1  https://old"), "{text}");
}

#[test]
fn it_needs_a_key_and_no_right_to_write() {
    let world = World::new();
    world.avatars(1);
    let nothing = world.run(&["explain"]).exits(2);
    assert!(nothing.stderr.contains("explain needs a key or a path"), "{}", nothing.stderr);
    let twice = world.run(&["explain", "image/a", "--key", "image/b"]).exits(2);
    assert!(twice.stderr.contains("KEY and --key both say the same"), "{}", twice.stderr);
    let reader = user(&world, &["GRANT SELECT ON `{db}`.* TO {user}"]);
    assert_eq!(world.run_as(&reader, &["explain", "image/avatar-0.png"]).exits(0).json["status"], "legacy");
}
