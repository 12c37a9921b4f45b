//! The ways to copy, and the settings of a copy that change how but not what.

use std::collections::BTreeMap;
use std::sync::Arc;

use avatar_migrate_kit::{Algorithm, EmbeddedS3, Fault, ObjectHeaders};

use crate::support::{World, content};

fn headers() -> ObjectHeaders {
    ObjectHeaders {
        content_type: Some("image/png".to_owned()),
        cache_control: Some("max-age=31536000, immutable".to_owned()),
        content_disposition: Some("inline; filename=\"a.png\"".to_owned()),
        content_encoding: Some("identity".to_owned()),
        content_language: Some("de".to_owned()),
        expires: None,
        metadata: BTreeMap::from([("owner".to_owned(), "7".to_owned()), ("x-y".to_owned(), "a b".to_owned())]),
    }
}

/// A big object with all headers, metadata and tags; the ETag of one that was uploaded in parts proves nothing.
fn big(world: &World, key: &str) -> Vec<u8> {
    let body: Vec<u8> = content(key).into_iter().cycle().take(300_000).collect();
    world.s3.put_with("legacy-s3", key, body.clone(), headers(), |object| {
        object.tags =
            BTreeMap::from([("team".to_owned(), "blue".to_owned()), ("a b".to_owned(), "c=&d".to_owned())]).into();
    });
    world.rows(&[key]);
    body
}

#[track_caller]
fn is_a_faithful_copy(target: &EmbeddedS3, key: &str, body: &[u8]) {
    let copy = target.object("production-s3", key).expect(key);
    assert!(copy.body == body, "{key} has other bytes");
    assert_eq!(*copy.headers, headers());
    let tags = BTreeMap::from([("team".to_owned(), "blue".to_owned()), ("a b".to_owned(), "c=&d".to_owned())]);
    assert_eq!(*copy.tags, tags);
}

#[test]
fn headers_metadata_and_tags_are_kept_by_each_way_of_copying() {
    for (flags, parts) in [
        (&["--method", "copy"][..], false),
        (&["--method", "stream"], false),
        (&["--method", "copy", "--multipart-threshold", "100kB", "--multipart-part-size", "64KiB"], true),
        (&["--method", "stream", "--multipart-threshold", "100kB", "--multipart-part-size", "64KiB"], true),
    ] {
        let world = World::new();
        world.s3.set_least_part(1);
        world.avatars(2);
        let body = big(&world, "image/avatar-big.png");
        world.s3.reset_requests();
        let copied = world.run(&[&["copy"], flags].concat()).exits(0);
        assert_eq!(copied.number("/objects/copied"), 3);
        is_a_faithful_copy(&world.s3, "avatar/avatar-big.png", &body);
        let in_parts = world.s3.requests().keys().any(|operation| operation == "CompleteMultipartUpload");
        assert_eq!(in_parts, parts, "{flags:?}: {:?}", world.s3.requests());
        assert_eq!(world.s3.open_uploads("production-s3").expect("uploads"), 0);
        world.run(&["verify", "--report", "out.csv"]).exits(0);
        world.run(&["finalize", "--yes"]).exits(0);
        is_a_faithful_copy(&world.s3, "avatar/avatar-big.png", &body);
    }
}

#[test]
fn equal_content_is_proved_by_what_can_prove_it() {
    let world = World::new();
    world.s3.set_least_part(1);
    world.avatars(1);
    big(&world, "image/avatar-big.png");
    world.run(&["copy", "--multipart-threshold", "100kB", "--multipart-part-size", "64KiB"]).exits(0);
    let proofs = |flags: &[&str]| -> BTreeMap<String, String> {
        world.run(&[&["verify", "--report", "out.csv"], flags].concat()).exits(0);
        let lines = world.report("out.csv");
        lines.into_iter().map(|line| (line["source_key"].clone(), line["proof"].clone() + &line["sha256"])).collect()
    };
    let auto = proofs(&[]);
    assert_eq!(auto["image/avatar-0.png"], "etag");
    assert_eq!(
        auto["image/avatar-big.png"], "checksum",
        "no byte is read where both servers have a checksum of all of them"
    );
    for (key, proof) in proofs(&["--check", "sha256"]) {
        assert_eq!((proof.get(..6), proof.len()), (Some("sha256"), 6 + 64), "{key}: {proof}");
    }
}

#[test]
fn what_is_read_anyway_the_server_need_not_hash() {
    for (flags, algorithm) in [(&[][..], Algorithm::Sha256), (&["--check", "sha256"], Algorithm::Crc64Nvme)] {
        let world = World::new();
        world.avatars(1);
        world.run(&[&["copy"], flags].concat()).exits(0);
        let copy = world.s3.object("production-s3", "avatar/avatar-0.png").expect("a copy");
        assert_eq!(copy.checksum.map(|checksum| checksum.algorithm), Some(algorithm), "{flags:?}");
    }
}

#[test]
fn what_is_copied_is_read_while_others_are_copied() {
    let world = World::new();
    world.avatars(3);
    world.s3.on_request(|request| match (request.operation.as_str(), request.key.as_deref()) {
        ("CopyObject", Some("avatar/avatar-2.png")) => Fault::DelayMillis(5_000),
        _ => Fault::None,
    });
    let noted = world.noted();
    world.run(&["copy", "--check", "sha256"]).exits(0);
    assert!(noted.nth("GetObject avatar/avatar-0.png") < noted.nth("CopyObject avatar/avatar-2.png"), "{noted:#?}");
}

#[test]
fn two_servers_with_an_identity_each() {
    let world = World::new();
    world.avatars(5);
    let body = big(&world, "image/avatar-big.png");
    let other = Arc::new(EmbeddedS3::start().expect("a server"));
    other.create_bucket("production-s3");
    let aws = world.directory.path().join(".aws");
    std::fs::create_dir(&aws).expect("a directory");
    let profile = |name: &str, s3: &EmbeddedS3| {
        let (key, secret) = (s3.access_key(), s3.secret_key());
        format!(
            "[profile {name}]\nregion = {}\nendpoint_url = {}\naws_access_key_id = {key}\naws_secret_access_key = {secret}\n",
            s3.region(),
            s3.endpoint()
        )
    };
    std::fs::write(aws.join("config"), profile("old", &world.s3) + &profile("new", &other)).expect("a file");
    let run = |arguments: &[&str]| {
        let flags = ["--method", "stream", "--source-profile", "old", "--target-profile", "new"];
        let mut command = world.command(&world.database.url(), &[arguments, &flags].concat());
        for name in ["AWS_REGION", "AVATAR_MIGRATE_SOURCE_ENDPOINT_URL", "AVATAR_MIGRATE_TARGET_ENDPOINT_URL"] {
            command.env_remove(name);
        }
        // A profile that was named beats the environment's keys.
        command.env("AWS_ACCESS_KEY_ID", "nobody").env("AWS_SECRET_ACCESS_KEY", "nothing");
        let output = command.output().expect("the program starts");
        crate::support::Ended::of(&output, world.directory.path()).exits(0)
    };
    assert_eq!(run(&["copy"]).number("/objects/copied"), 6);
    run(&["verify", "--report", "out.csv"]);
    world.source("image/avatar-orphan.png");
    assert_eq!(run(&["finalize", "--yes"]).number("/objects/deleted"), 7);
    assert_eq!(world.s3.keys("legacy-s3"), [""; 0]);
    assert_eq!(other.keys("production-s3").len(), 7);
    is_a_faithful_copy(&other, "avatar/avatar-big.png", &body);
}

#[test]
fn a_copy_of_some_objects_leaves_the_others() {
    let world = World::new();
    world.avatars(25);
    let some = world.run(&["copy", "--limit", "10"]).exits(3);
    assert_eq!((some.number("/rows/updated"), some.number("/rows/left")), (10, 15));
    assert_eq!(world.s3.keys("production-s3").len(), 10);
    world.every_row_resolves();
    assert_eq!(world.run(&["copy"]).exits(0).number("/rows/updated"), 15);
}

#[test]
fn rows_may_move_in_several_transactions_and_requests_one_by_one() {
    let world = World::new();
    let keys = world.avatars(35);
    world.rows(&[&keys[0], &keys[34]]);
    let copied = world.run(&["copy", "--transaction-rows", "10", "--concurrency", "4"]).exits(0);
    assert_eq!((copied.number("/rows/updated"), copied.number("/objects/copied")), (37, 35));
    world.every_row_resolves();
    let parts = format!("SELECT COUNT(DISTINCT part) AS v FROM `{}`.am_row_change", world.ledger());
    assert_eq!(world.column(&parts), ["4"]);
    let journal = format!("SELECT COUNT(*) AS v FROM `{}`.am_row_change", world.ledger());
    assert_eq!(world.column(&journal), ["37"]);
}

#[test]
fn a_dry_run_writes_nothing() {
    let world = World::new();
    let keys = world.avatars(6);
    world.rows(&["image/avatar-gone.png", "image/avatar-taken.png"]);
    world.source("image/avatar-taken.png");
    world.target("avatar/avatar-taken.png", "other bytes");
    world.target("avatar/avatar-0.png", "image/avatar-0.png");
    world.s3.reset_requests();
    let dry = world.run(&["copy", "--dry-run"]).exits(0);
    let written: Vec<String> =
        world.s3.requests().into_keys().filter(|o| !["ListObjectsV2", "HeadObject"].contains(&o.as_str())).collect();
    assert_eq!(written, [""; 0], "a dry run lists and looks, no more");
    assert_eq!(
        world
            .column("SELECT schema_name AS v FROM information_schema.schemata")
            .iter()
            .filter(|s| *s == world.ledger())
            .count(),
        0
    );
    assert_eq!(world.paths().iter().filter(|path| path.starts_with("image/")).count(), 8);
    assert_eq!((dry.number("/rows/planned"), dry.number("/objects/planned")), (8, 8));
    let objects =
        ["already_there", "missing_source", "conflict", "copied"].map(|n| dry.number(&format!("/objects/{n}")));
    assert_eq!(objects, [1, 1, 1, 0]);
    let bytes: usize = keys[1..].iter().map(|key| content(key).len()).sum();
    assert_eq!(dry.number("/forecast/bytes"), bytes as u64);
    assert!(dry.number("/forecast/requests") > 5 && dry.json["forecast"]["cost_usd"].is_number());
}
