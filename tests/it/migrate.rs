//! The classic migration, end to end.

use crate::support::{World, content};

#[test]
fn a_hundred_avatars_move_and_the_sources_go() {
    let world = World::new();
    for n in 0..100 {
        let key = format!("image/avatar-{n}.png");
        world.source(&key);
        world.rows(&[&key]);
    }
    for n in 100..150 {
        world.source(&format!("image/avatar-{n}.png"));
        world.target(&format!("avatar/avatar-{n}.png"), &format!("image/avatar-{n}.png"));
        world.rows(&[&format!("avatar/avatar-{n}.png")]);
    }
    world.source("image/avatar-orphan.png");
    world.source("image/logo.png");
    world.rows(&["image/logo.png"]);

    let copied = world.run(&["copy"]).exits(0);
    assert_eq!(copied.number("/rows/updated"), 100);
    assert_eq!(copied.number("/objects/copied"), 100);
    assert_eq!(copied.json["references"], serde_json::json!(["avatars.path"]));

    let verified = world.run(&["verify", "--report", "out.csv"]).exits(0);
    assert_eq!(verified.number("/objects/verified"), 150);
    assert_eq!(verified.number("/orphans"), 1);
    assert_eq!(world.statuses("out.csv")["migrated"], 150);

    let finalized = world.run(&["finalize", "--yes"]).exits(0);
    assert_eq!(finalized.number("/objects/deleted"), 151);
    assert_eq!(finalized.number("/objects/orphans_copied"), 1);
    assert_eq!(world.s3.keys("legacy-s3"), ["image/logo.png"]);
    for n in 0..150 {
        let body = world.body("production-s3", &format!("avatar/avatar-{n}.png"));
        assert_eq!(body, Some(content(&format!("image/avatar-{n}.png"))));
    }
    assert!(world.paths().iter().all(|path| path.starts_with("avatar/") || path == "image/logo.png"));
    let moved = world.column("SELECT COUNT(*) AS v FROM avatars WHERE updated_at <> '2020-01-01 00:00:00'");
    assert_eq!(moved, ["0"], "ON UPDATE CURRENT_TIMESTAMP columns keep their values");

    world.run(&["finalize", "--yes"]).exits(0);
    world.run(&["verify", "--report", "out.csv"]).exits(0);
}
