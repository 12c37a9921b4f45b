//! `--inventory`: what S3 wrote down some time ago takes the place of a listing, and nothing is believed of it that matters.

mod refused;
pub(crate) mod written;

use std::time::Duration;

use avatar_migrate_kit::ObjectHeaders;

use self::written::Inventory;
use crate::one_line::one_line;
use crate::support::{Ended, World, content};

const HOUR: Duration = Duration::from_secs(3600);

/// Ten migrated rows whose objects were written two days ago.
fn migrated() -> World {
    let world = World::new();
    world.avatars(10);
    world.run(&["copy"]).exits(0);
    age(&world);
    world
}

/// All objects as if they had been written two days ago.
fn age(world: &World) {
    for bucket in ["legacy-s3", "production-s3"] {
        for key in world.s3.keys(bucket) {
            let object = world.s3.object(bucket, &key).expect("an object");
            world.s3.put_with(bucket, &key, object.body.clone(), ObjectHeaders::default(), |new| {
                new.e_tag = object.e_tag.clone();
                new.last_modified = object.last_modified - 48 * HOUR;
            });
        }
    }
}

/// An inventory of each bucket, an hour old.
fn of_both(world: &World) -> [String; 2] {
    ["legacy-s3", "production-s3"].map(|bucket| Inventory::csv(world, bucket, "").aged(HOUR).write(world))
}

fn verify(world: &World, inventories: &[String]) -> Ended {
    let flags = inventories.iter().flat_map(|address| ["--inventory", address.as_str()]);
    world.run(&["verify", "--report", "out.csv"].into_iter().chain(flags).collect::<Vec<_>>())
}

fn finalize(world: &World, inventories: &[String], more: &[&str]) -> Ended {
    let flags = inventories.iter().flat_map(|address| ["--inventory", address.as_str()]);
    let all = ["finalize", "--yes", "--report", "final.csv"].into_iter().chain(flags).chain(more.iter().copied());
    world.run(&all.collect::<Vec<_>>())
}

/// The status of one row's object in the report, and its detail.
fn status(world: &World, report: &str, key: &str) -> (String, String) {
    let lines = world.report(report);
    let line = lines.iter().find(|line| line["source_key"] == key).unwrap_or_else(|| panic!("no line for {key}"));
    (line["status"].clone(), line["detail"].clone())
}

#[test]
fn a_fresh_inventory_of_each_bucket_is_enough_for_a_verify() {
    let world = migrated();
    let inventories = of_both(&world);
    world.s3.reset_requests();
    let ended = verify(&world, &inventories).exits(0);
    assert_eq!(ended.number("/objects/verified"), 10);
    assert_eq!(ended.number("/orphans"), 0);
    let (state, detail) = status(&world, "out.csv", "image/avatar-3.png");
    assert_eq!(state, "migrated");
    assert!(detail.starts_with("resolved as of the inventory of 20") && detail.contains(" UTC;"), "{detail}");
    assert!(
        ended.stderr.contains("1 h ago: what was written since is seen only where a row names it"),
        "{}",
        ended.stderr
    );
    // No object is asked for: the probes of both buckets, and a look at the ends of what each inventory covers.
    let requests = world.s3.requests();
    assert_eq!(requests.get("HeadObject"), None, "{requests:?}");
    assert_eq!(requests["ListObjectsV2"], 2 + 4, "{requests:?}");
    assert_eq!(requests["GetObject"], 2 * (1 + 1 + 2), "{requests:?}");
}

#[test]
fn one_bucket_may_be_listed() {
    let world = migrated();
    for bucket in ["legacy-s3", "production-s3"] {
        let inventory = Inventory::parquet(&world, bucket).aged(HOUR).write(&world);
        let ended = verify(&world, &[inventory]).exits(0);
        assert_eq!((ended.number("/objects/verified"), ended.number("/orphans")), (10, 0));
        assert_eq!(ended.number("/requests/head"), 0);
    }
}

#[test]
fn parquet_of_other_programs_is_read() {
    let world = World::new();
    let names = (0..300).map(|n| format!("avatar-{n}.png")).chain(["avatar-ä b+c%2B.png".to_owned()]);
    let paths: Vec<String> = names.map(|name| format!("avatar/{name}")).collect();
    for path in &paths {
        let source = path.replacen("avatar/", "image/", 1);
        world.s3.put("legacy-s3", &source, source.clone());
        world.s3.put("production-s3", path, source);
    }
    world.rows(&paths.iter().map(String::as_str).collect::<Vec<_>>());
    // Both hold an old version and a delete marker, too. Written by pyarrow 26 and by DuckDB 2.0, compressed with Snappy.
    let source = Inventory::given("legacy-s3", include_bytes!("inventory/pyarrow.parquet"));
    let target = Inventory::given("production-s3", include_bytes!("inventory/duckdb.parquet"));
    let ended = verify(&world, &[source.write(&world), target.write(&world)]).exits(0);
    assert_eq!((ended.number("/objects/verified"), ended.number("/requests/head")), (301, 0));
    let dated = world.report("out.csv").iter().filter(|line| line["detail"].starts_with("resolved as of")).count();
    assert_eq!(dated, 301);
}

#[test]
fn what_an_old_inventory_does_not_show_is_looked_at() {
    let world = migrated();
    world.source("image/avatar-orphan.png");
    age(&world);
    let inventories = of_both(&world);
    // Written since: a modern picture with its row, and an orphan, which nothing names.
    world.s3.put("production-s3", "avatar/avatar-new.png", content("image/avatar-new.png"));
    world.rows(&["avatar/avatar-new.png"]);
    world.s3.put("legacy-s3", "image/avatar-unseen.png", content("unseen"));
    // A legacy row, with its object.
    world.s3.put("legacy-s3", "image/avatar-late.png", content("image/avatar-late.png"));
    world.rows(&["image/avatar-late.png"]);
    // The orphan of the inventory is gone.
    assert!(world.s3.remove("legacy-s3", "image/avatar-orphan.png"));
    let ended = verify(&world, &inventories).exits(3);
    assert_eq!(status(&world, "out.csv", "image/avatar-new.png").0, "migrated");
    assert_eq!(status(&world, "out.csv", "image/avatar-late.png").0, "legacy");
    assert_eq!((ended.number("/orphans"), ended.number("/objects/missing_target")), (0, 0));
    assert_eq!(ended.number("/objects/verified"), 11);
}

#[test]
fn a_difference_that_is_gone_is_none() {
    let world = migrated();
    world.put("production-s3", "avatar/avatar-1.png", content("damaged"));
    assert!(world.s3.remove("production-s3", "avatar/avatar-2.png"));
    assert!(world.s3.remove("legacy-s3", "image/avatar-3.png"));
    let inventories = of_both(&world);
    for n in [1, 2] {
        world.target(&format!("avatar/avatar-{n}.png"), &format!("image/avatar-{n}.png"));
    }
    verify(&world, &inventories).exits(0);
    for n in [1, 2] {
        let (state, detail) = status(&world, "out.csv", &format!("image/avatar-{n}.png"));
        assert_eq!((state.as_str(), detail.as_str()), ("migrated", "resolves; the source is still there"));
    }
    assert!(world.s3.remove("production-s3", "avatar/avatar-3.png"));
    verify(&world, &inventories).exits(3);
    assert_eq!(status(&world, "out.csv", "image/avatar-3.png").0, "missing_target");
}

#[test]
fn finalize_looks_at_both_sides_before_it_deletes() {
    let world = migrated();
    let inventories = of_both(&world);
    // Since then a source was written, a target was replaced, and one is gone.
    world.put("legacy-s3", "image/avatar-1.png", content("newer"));
    world.put("production-s3", "avatar/avatar-2.png", content("newer"));
    assert!(world.s3.remove("production-s3", "avatar/avatar-3.png"));
    let ended = finalize(&world, &inventories, &[]).exits(3);
    assert_eq!((ended.number("/objects/deleted"), ended.number("/objects/changed")), (7, 3));
    let left: Vec<String> = (1..=3).map(|n| format!("image/avatar-{n}.png")).collect();
    assert_eq!(world.s3.keys("legacy-s3"), left);
    // The only bytes of the one that is gone are still there.
    assert_eq!(world.body("legacy-s3", "image/avatar-3.png"), Some(content("image/avatar-3.png")));
    for n in (0..10).filter(|n| !(1..=3).contains(n)) {
        let body = world.body("production-s3", &format!("avatar/avatar-{n}.png"));
        assert_eq!(body, Some(content(&format!("image/avatar-{n}.png"))));
    }
}

#[test]
fn a_batch_of_which_nothing_holds_does_not_end_finalize() {
    let world = migrated();
    let inventories = of_both(&world);
    for n in 0..10 {
        world.put("production-s3", &format!("avatar/avatar-{n}.png"), content("newer"));
    }
    let ended = finalize(&world, &inventories, &[]).exits(3);
    assert_eq!((ended.number("/objects/deleted"), ended.number("/objects/changed")), (0, 10));
    assert_eq!(world.s3.keys("legacy-s3").len(), 10);
}

#[test]
fn orphans_are_those_of_now() {
    let world = migrated();
    for name in ["old", "gone", "young"] {
        world.source(&format!("image/avatar-{name}.png"));
    }
    age(&world);
    let inventories = of_both(&world);
    assert!(world.s3.remove("legacy-s3", "image/avatar-gone.png"));
    world.s3.put("legacy-s3", "image/avatar-young.png", content("written again"));
    world.s3.put("legacy-s3", "image/avatar-later.png", content("later"));
    let ended = finalize(&world, &inventories, &["--orphans", "copy"]).exits(3);
    assert_eq!((ended.number("/objects/orphans_copied"), ended.number("/objects/deleted")), (1, 11));
    assert_eq!(world.s3.keys("legacy-s3"), ["image/avatar-later.png", "image/avatar-young.png"]);
    assert_eq!(world.body("production-s3", "avatar/avatar-old.png"), Some(content("image/avatar-old.png")));
    assert_eq!(world.body("production-s3", "avatar/avatar-gone.png"), None);
}

#[test]
fn the_one_line_form_takes_inventories_too() {
    let world = migrated();
    let [source, target] = of_both(&world);
    let flags = ["--yes", "--inventory", &source, "--inventory", &target];
    let ended = one_line(&world, world.database.mariadb().root_password(), "", &flags).exits(0);
    assert_eq!(ended.number("/finalize/objects/deleted"), 10);
}
