//! The forecast of a dry run against what the server counts when the copy is then run.

use std::collections::BTreeMap;

use avatar_migrate_kit::ObjectHeaders;
use serde_json::Value;

use crate::support::{Ended, World, content};

/// How S3 names what the summary calls `list`, `head` and so on.
const OPERATIONS: [(&str, &[&str]); 6] = [
    ("list", &["ListObjectsV2", "ListMultipartUploads"]),
    ("head", &["HeadObject"]),
    ("get", &["GetObject", "GetObjectTagging"]),
    ("put", &["PutObject", "UploadPart", "CreateMultipartUpload", "CompleteMultipartUpload"]),
    ("copy", &["CopyObject", "UploadPartCopy"]),
    ("delete", &["DeleteObject", "DeleteObjects"]),
];

/// Demands that the forecast is within 2 % of what the server counts, type by type and in all; gives dry and real run.
#[track_caller]
fn comes_true(world: &World, flags: &[&str], exit: i32) -> (Ended, Ended) {
    let dry = world.run(&[&["copy", "--dry-run"], flags].concat()).exits(0);
    world.s3.reset_requests();
    let real = world.run(&[&["copy"], flags].concat()).exits(exit);
    let mut counted = world.s3.requests();
    let mut compared: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for (name, operations) in OPERATIONS {
        let seen = operations.iter().filter_map(|operation| counted.remove(*operation)).sum();
        compared.insert(name, (dry.number(&format!("/forecast/by_type/{name}")), seen));
    }
    assert_eq!(counted, BTreeMap::new(), "requests of no type");
    let all = compared.values().map(|(_, seen)| seen).sum();
    compared.insert("all", (dry.number("/forecast/requests"), all));
    for (told, seen) in compared.values() {
        assert!(told.abs_diff(*seen) * 50 <= *seen, "forecast and count: {compared:?}\n{}", dry.stderr);
    }
    assert_eq!(dry.number("/forecast/bytes"), real.number("/bytes_copied"));
    (dry, real)
}

/// Objects with a row each, in few statements.
fn avatars(world: &World, keys: impl IntoIterator<Item = String>) -> Vec<String> {
    let keys: Vec<String> = keys.into_iter().collect();
    keys.iter().for_each(|key| small(world, "legacy-s3", key));
    world.rows(&keys.iter().map(String::as_str).collect::<Vec<_>>());
    keys
}

/// An object of few bytes, of which a test needs many; twins have the same.
fn small(world: &World, bucket: &str, key: &str) {
    let name = key.rsplit('/').next().expect("a name");
    world.s3.put_with(bucket, key, name.to_owned(), ObjectHeaders::default(), |object| {
        object.tags = BTreeMap::from([("team".to_owned(), "blue".to_owned())]).into();
    });
}

/// An object as an upload in parts leaves it: its ETag proves nothing.
fn in_parts(world: &World, key: &str, size: usize, checksum: bool) {
    let body: Vec<u8> = content(key).into_iter().cycle().take(size).collect();
    world.s3.put_with("legacy-s3", key, body, ObjectHeaders::default(), |object| {
        object.e_tag = format!("{}-2", "0123456789abcdef".repeat(2)).into();
        object.part_sizes = [size as u64 / 2, size as u64 - size as u64 / 2].into();
        if !checksum {
            object.checksum = None;
        }
    });
    world.rows(&[key]);
}

#[test]
fn of_thousands_of_small_objects() {
    let world = World::new();
    let keys = avatars(&world, (0..3300).map(|n| format!("image/avatar-{n}.png")));
    // Neighbours that no row names, some of other names, and targets that are there: windows and pages do not fall together.
    (0..500).for_each(|n| small(&world, "legacy-s3", &format!("image/avatar-{}-old.png", n * 3)));
    (0..1100).for_each(|n| small(&world, "legacy-s3", &format!("image/avatar-2/logo-{n}.png")));
    keys[..150].iter().for_each(|key| small(&world, "production-s3", &key.replacen("image", "avatar", 1)));
    (0..900).for_each(|n| small(&world, "production-s3", &format!("avatar/avatar-2{n}-new.png")));
    let (dry, real) = comes_true(&world, &[], 0);
    assert_eq!(real.number("/objects/copied"), 3150);
    let of = |name: &str| dry.number(&format!("/forecast/by_type/{name}")) as f64 / 1000.0;
    let cost = (of("list") + of("put") + of("copy")) * 0.005 + (of("head") + of("get")) * 0.0004;
    let told = dry.json["forecast"]["cost_usd"].as_f64().expect("a price");
    assert!((told - cost).abs() < 1e-4, "{told} {cost}");
    assert!(dry.json["forecast"]["seconds"].as_f64().is_some_and(|seconds| seconds > 0.0));
}

#[test]
fn of_names_that_differ_in_their_last_letter() {
    let world = World::new();
    avatars(&world, (0..2200).map(|n| format!("image/avatar-{n}")));
    comes_true(&world, &[], 0);
}

#[test]
fn of_objects_in_parts() {
    let world = World::new();
    world.s3.set_least_part(1);
    avatars(&world, (0..20).map(|n| format!("image/avatar-{n}.png")));
    for n in 0..30 {
        in_parts(&world, &format!("image/avatar-big-{n}.png"), 200_000 + n * 10_000, n % 3 > 0);
        in_parts(&world, &format!("image/avatar-old-{n}.png"), 1000, true);
    }
    let parts = ["--multipart-threshold", "100kB", "--multipart-part-size", "64KiB"];
    let (dry, _) = comes_true(&world, &parts, 0);
    assert!(dry.number("/forecast/by_type/copy") > 150 && dry.number("/forecast/by_type/get") > 30);
}

#[test]
fn of_a_few_objects_in_large_buckets() {
    let world = World::new();
    for n in 0..13_000 {
        small(&world, "legacy-s3", &format!("image/avatar-{n:05}.png"));
        small(&world, "production-s3", &format!("avatar/avatar-{n:05}-modern.png"));
    }
    let keys: Vec<String> = (0..8).map(|n| format!("image/avatar-{:05}.png", 600 + n * 1570)).collect();
    world.rows(&keys.iter().map(String::as_str).collect::<Vec<_>>());
    let (dry, _) = comes_true(&world, &[], 0);
    assert!(dry.number("/forecast/by_type/head") > 3 * 8, "{}", dry.json);
}

#[test]
fn of_a_copy_through_this_machine() {
    let world = World::new();
    world.s3.set_least_part(1);
    // With a tag each, which one more request reads.
    avatars(&world, (0..1200).map(|n| format!("image/avatar-{n}.png")));
    (0..9).for_each(|n| in_parts(&world, &format!("image/avatar-old-{n}.png"), 1000, true));
    let (dry, _) = comes_true(&world, &["--method", "stream"], 0);
    assert_eq!(dry.number("/forecast/by_type/copy"), 0);

    let world = World::new();
    world.s3.set_least_part(1);
    (0..12).for_each(|n| in_parts(&world, &format!("image/avatar-big-{n}.png"), 300_000, n % 2 == 0));
    let parts = ["--method", "stream", "--multipart-threshold", "100kB", "--multipart-part-size", "64KiB"];
    comes_true(&world, &parts, 0);
}

#[test]
fn of_a_copy_that_reads_every_byte() {
    let world = World::new();
    let keys = avatars(&world, (0..60).map(|n| format!("image/avatar-{n}.png")));
    keys[..10].iter().for_each(|key| small(&world, "production-s3", &key.replacen("image", "avatar", 1)));
    let (dry, _) = comes_true(&world, &["--check", "sha256"], 0);
    assert_eq!(dry.number("/forecast/by_type/get"), 2 * 60);
}

#[test]
fn of_rows_that_cannot_move() {
    let world = World::new();
    world.sql("CREATE UNIQUE INDEX once ON avatars (path(200))");
    let keys = avatars(&world, (0..1500).map(|n| format!("image/avatar-{n}.png")));
    world.rows(&["image/avatar-gone.png", "avatar/avatar-7.png", "avatar/avatar-8.png"]);
    world.s3.put("production-s3", "avatar/avatar-3.png", keys[3].replace("image/avatar", "legacy").into_bytes());
    comes_true(&world, &[], 3);

    // And none but those: the pass is the only one.
    comes_true(&world, &[], 3);
}

#[test]
fn of_nothing_and_of_some() {
    let world = World::new();
    comes_true(&world, &[], 0);
    avatars(&world, (0..40).map(|n| format!("image/avatar-{n}.png")));
    let (dry, real) = comes_true(&world, &["--limit", "15"], 3);
    assert_eq!((dry.number("/objects/planned"), real.number("/objects/copied")), (40, 15));
}

#[test]
fn its_prices_are_named_and_may_be_others() {
    let world = World::new();
    avatars(&world, (0..40).map(|n| format!("image/avatar-{n}.png")));
    let text = world.run(&["copy", "--dry-run", "--format", "human"]).exits(0).stdout;
    assert!(text.contains("\n  prices      AWS S3 Standard, us-east-1, 2025-10-28: $0.005 for 1,000 PUT"), "{text}");
    for (kind, count) in [("list", 9), ("head", 3), ("put", 4), ("copy", 43), ("delete", 4)] {
        let line = text.lines().find(|line| line.starts_with(&format!("    {kind} ")));
        assert!(line.is_some_and(|line| line.ends_with(&format!(" {count}"))), "{text}");
    }
    let flags = ["copy", "--dry-run", "--price-copy", "1000", "--price-read", "100", "--price-transfer", "0"];
    let dear = world.run(&flags).exits(0);
    assert_eq!(dear.json["forecast"]["cost_usd"], Value::from(56.3));
    let wrong = world.run(&["copy", "--dry-run", "--price-copy", "cheap"]).exits(2);
    assert!(wrong.stderr.contains("`cheap` is not a price"), "{}", wrong.stderr);
}
