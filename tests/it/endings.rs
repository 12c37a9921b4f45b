//! Rows that cannot move, and objects that are not what they should be: each ending, its exit codes, and what stays.

use crate::support::{AVATARS, World, content};

/// Avatars 1 to 3, of which the first one is in trouble.
fn three() -> World {
    let world = World::new();
    for n in 1..=3 {
        world.source(&format!("image/avatar-{n}.png"));
        world.rows(&[&format!("image/avatar-{n}.png")]);
    }
    world
}

fn assert_nothing_is_deleted(world: &World) {
    let before = world.s3.keys("legacy-s3");
    let refused = world.run(&["finalize", "--yes"]).exits(4);
    assert_eq!(refused.json["finalizable"], false);
    assert_eq!(world.s3.keys("legacy-s3"), before);
}

#[test]
fn a_row_whose_object_is_missing_never_moves() {
    let world = three();
    world.s3.remove("legacy-s3", "image/avatar-1.png");
    for _ in 0..2 {
        let copied = world.run(&["copy"]).exits(3);
        assert_eq!(copied.number("/objects/missing_source"), 1);
        assert_eq!(copied.number("/rows/left"), 1);
        assert_eq!(world.paths(), ["avatar/avatar-2.png", "avatar/avatar-3.png", "image/avatar-1.png"]);
    }
    let verified = world.run(&["verify", "--report", "out.csv"]).exits(3);
    assert_eq!(verified.number("/objects/missing_source"), 1);
    assert_eq!(world.statuses("out.csv"), [("migrated".into(), 2), ("missing_source".into(), 1)].into());
    assert_nothing_is_deleted(&world);
    world.source("image/avatar-1.png");
    world.run(&["copy"]).exits(0);
    world.run(&["finalize", "--yes"]).exits(0);
}

#[test]
fn a_missing_source_is_not_excused_by_a_target_of_unknown_origin() {
    let world = three();
    world.s3.remove("legacy-s3", "image/avatar-1.png");
    world.target("avatar/avatar-1.png", "image/avatar-1.png");
    assert_eq!(world.run(&["copy"]).exits(3).number("/objects/missing_source"), 1);
    world.run(&["verify", "--report", "out.csv"]).exits(3);
    assert_eq!(world.statuses("out.csv")["missing_source"], 1);
    assert_nothing_is_deleted(&world);
}

#[test]
fn a_target_with_other_bytes_keeps_them() {
    let world = three();
    world.target("avatar/avatar-1.png", "another picture");
    let copied = world.run(&["copy"]).exits(3);
    assert_eq!((copied.number("/objects/conflict"), copied.number("/rows/conflict")), (1, 1));
    assert_eq!(copied.number("/rows/updated"), 2);
    assert_eq!(world.paths(), ["avatar/avatar-2.png", "avatar/avatar-3.png", "image/avatar-1.png"]);
    let verified = world.run(&["verify", "--report", "out.csv"]).exits(3);
    assert_eq!(verified.number("/objects/conflict"), 1);
    assert_eq!(world.statuses("out.csv")["conflict"], 1);
    assert_nothing_is_deleted(&world);
    assert_eq!(world.body("production-s3", "avatar/avatar-1.png"), Some(content("another picture")));
}

#[test]
fn a_target_of_the_same_size_with_other_bytes_is_a_conflict_too() {
    let world = three();
    let mut body = content("image/avatar-1.png");
    *body.last_mut().expect("a byte") ^= 1;
    world.put("production-s3", "avatar/avatar-1.png", body.clone());
    assert_eq!(world.run(&["copy"]).exits(3).number("/objects/conflict"), 1);
    assert_nothing_is_deleted(&world);
    assert_eq!(world.body("production-s3", "avatar/avatar-1.png"), Some(body));
}

/// One `row_conflict` and the rest moves, whatever the unique key looks like.
fn assert_one_row_conflict(world: &World, moved: u64) {
    let dry = world.run(&["copy", "--dry-run"]).exits(0);
    assert_eq!(dry.number("/rows/conflict"), 1);
    let copied = world.run(&["copy"]).exits(3);
    assert_eq!((copied.number("/rows/conflict"), copied.number("/rows/updated")), (1, moved));
    let verified = world.run(&["verify", "--report", "out.csv"]).exits(3);
    assert_eq!(verified.number("/rows/legacy"), 1);
    assert_eq!(world.statuses("out.csv")["row_conflict"], 1);
    assert_nothing_is_deleted(world);
}

#[test]
fn a_unique_path_clash_is_one_row_conflict() {
    let world = three();
    world.sql("ALTER TABLE avatars ADD UNIQUE (path)");
    world.rows(&["avatar/avatar-1.png"]);
    assert_one_row_conflict(&world, 2);
    world.sql("DELETE FROM avatars WHERE path = 'image/avatar-1.png'");
    world.run(&["copy"]).exits(0);
    world.run(&["finalize", "--yes"]).exits(0);
}

#[test]
fn a_clash_is_compared_as_the_unique_key_compares() {
    let world = World::bare();
    world.sql(&AVATARS.replace("path VARCHAR(1024) NULL", "path VARCHAR(200) NULL UNIQUE"));
    for rest in ["avatar-ä.png", "avatar-2.png", "avatar-3.png"] {
        world.source(&format!("image/{rest}"));
        world.rows(&[&format!("image/{rest}")]);
    }
    // Equal under utf8mb4_general_ci, which ignores case, accents and trailing spaces.
    world.target("avatar/avatar-A.PNG ", "another");
    world.rows(&["avatar/avatar-A.PNG "]);
    assert_one_row_conflict(&world, 2);
}

#[test]
fn a_clash_within_a_tenant_is_no_clash_across_tenants() {
    let world = World::bare();
    world.sql(
        "CREATE TABLE members (id INT AUTO_INCREMENT PRIMARY KEY, tenant INT NULL, path VARCHAR(200) NOT NULL,
         UNIQUE (tenant, path)) CHARACTER SET utf8mb4",
    );
    for n in 1..=3 {
        world.source(&format!("image/avatar-{n}.png"));
        world.target(&format!("avatar/avatar-{n}.png"), &format!("image/avatar-{n}.png"));
    }
    world.sql(
        "INSERT INTO members (tenant, path) VALUES
         (1, 'image/avatar-1.png'), (1, 'avatar/avatar-1.png'),
         (1, 'image/avatar-2.png'), (2, 'avatar/avatar-2.png'),
         (NULL, 'image/avatar-3.png'), (NULL, 'avatar/avatar-3.png')",
    );
    assert_one_row_conflict(&world, 2);
}

#[test]
fn a_clash_in_a_key_on_the_beginning_of_a_path_is_found() {
    let world = World::bare();
    world.sql("CREATE TABLE avatars (id INT AUTO_INCREMENT PRIMARY KEY, path TEXT, UNIQUE (path(17)))");
    for path in ["image/avatar-1.png", "image/avatar-2.png"] {
        world.source(path);
    }
    world.target("avatar/avatar-1.p", "another");
    world.rows(&["image/avatar-1.png", "image/avatar-2.png", "avatar/avatar-1.p"]);
    assert_one_row_conflict(&world, 1);
}

#[test]
fn a_new_path_that_the_key_holds_equal_to_the_old_one_is_no_clash() {
    let world = three();
    world.sql("ALTER TABLE avatars ADD UNIQUE (path)");
    assert_eq!(world.run(&["copy", "--modern-prefix", "Image/"]).exits(0).number("/rows/updated"), 3);
    assert_eq!(world.paths(), [1, 2, 3].map(|n| format!("Image/avatar-{n}.png")));
}

/// Copies everything, then the application replaces the first picture.
fn superseded() -> World {
    let world = three();
    world.run(&["copy"]).exits(0);
    world.s3.put("production-s3", "avatar/avatar-1.png", content("a new picture"));
    world
}

#[test]
fn a_picture_replaced_after_the_cutover_blocks_nothing_and_its_source_is_kept() {
    let world = superseded();
    let verified = world.run(&["verify", "--report", "out.csv"]).exits(0);
    assert_eq!((verified.number("/objects/superseded"), verified.number("/objects/verified")), (1, 2));
    assert_eq!(world.statuses("out.csv"), [("migrated".into(), 2), ("superseded".into(), 1)].into());
    let finalized = world.run(&["finalize", "--yes"]).exits(0);
    assert_eq!((finalized.number("/objects/deleted"), finalized.number("/objects/kept")), (2, 1));
    assert_eq!(world.s3.keys("legacy-s3"), ["image/avatar-1.png"]);
    world.run(&["finalize", "--yes"]).exits(0);
    let finalized = world.run(&["finalize", "--yes", "--delete-superseded"]).exits(0);
    assert_eq!(finalized.number("/objects/deleted"), 1);
    assert_eq!(world.s3.keys("legacy-s3"), [] as [&str; 0]);
    assert_eq!(world.body("production-s3", "avatar/avatar-1.png"), Some(content("a new picture")));
}

#[test]
fn without_a_ledger_the_newer_picture_is_the_replaced_one() {
    let world = superseded();
    world.drop_ledger();
    world.run(&["verify", "--report", "out.csv"]).exits(0);
    assert_eq!(world.statuses("out.csv")["superseded"], 1);
    assert_eq!(world.run(&["finalize", "--yes"]).exits(0).number("/objects/kept"), 1);
    assert_eq!(world.s3.keys("legacy-s3"), ["image/avatar-1.png"]);
}

#[test]
fn a_modern_row_without_an_object_blocks() {
    let world = three();
    world.rows(&["avatar/avatar-gone.png"]);
    world.run(&["copy"]).exits(0);
    let verified = world.run(&["verify", "--report", "out.csv"]).exits(3);
    assert_eq!(verified.number("/objects/missing_target"), 1);
    assert_eq!(world.statuses("out.csv"), [("migrated".into(), 3), ("missing_target".into(), 1)].into());
    assert_nothing_is_deleted(&world);
}

#[test]
fn a_copy_that_vanished_after_the_cutover_blocks() {
    let world = three();
    world.run(&["copy"]).exits(0);
    world.s3.remove("production-s3", "avatar/avatar-2.png");
    world.run(&["verify", "--report", "out.csv"]).exits(3);
    assert_eq!(world.statuses("out.csv")["missing_target"], 1);
    assert_nothing_is_deleted(&world);
}
