//! Every command can be killed anywhere and run again: it converges, and at every instant each row resolves. Kills at each
//! request of S3 are in `nth_fault`.

use crate::process::{Gate, until};
use crate::support::{World, content};

fn prepare() -> World {
    let world = World::new();
    world.avatars(4);
    world.source("image/avatar-orphan.png");
    world.source("image/avatar-moved.png");
    world.target("avatar/avatar-moved.png", "image/avatar-moved.png");
    world.rows(&["avatar/avatar-moved.png"]);
    world.source("image/logo.png");
    world
}

/// Nothing is lost: each picture is in one of the buckets at least.
#[track_caller]
fn nothing_is_lost(world: &World) {
    world.every_row_resolves();
    for name in ["0.png", "1.png", "2.png", "3.png", "orphan.png", "moved.png"] {
        let legacy = format!("image/avatar-{name}");
        let here = world.body("legacy-s3", &legacy) == Some(content(&legacy));
        let there = world.body("production-s3", &format!("avatar/avatar-{name}")) == Some(content(&legacy));
        assert!(here || there, "{name} is lost");
    }
    assert!(world.body("legacy-s3", "image/logo.png").is_some());
}

#[track_caller]
fn it_converges(world: &World) {
    world.run(&["copy"]).exits(0);
    nothing_is_lost(world);
    world.run(&["finalize", "--yes", "--orphans", "copy"]).exits(0);
    nothing_is_lost(world);
    assert_eq!(world.s3.keys("legacy-s3"), ["image/logo.png"]);
    assert_eq!(world.s3.keys("production-s3").len(), 6);
    assert!(world.paths().iter().all(|path| path.starts_with("avatar/")));
}

#[test]
fn a_killed_verify_leaves_the_old_report() {
    let world = prepare();
    world.run(&["copy"]).exits(0);
    world.run(&["verify", "--report", "out.csv"]).exits(0);
    let old = std::fs::read(world.directory.path().join("out.csv")).expect("a report");
    // The first two listings probe the settings.
    let gate = Gate::nth(&world.s3, "ListObjectsV2", 3);
    let running = world.start(&["verify", "--report", "out.csv"]);
    gate.wait();
    running.kill();
    gate.open();
    assert_eq!(std::fs::read(world.directory.path().join("out.csv")).expect("a report"), old);
    it_converges(&world);
}

#[test]
fn a_killed_cutover_changes_no_row() {
    let world = prepare();
    world.sql("CREATE TABLE more (id INT PRIMARY KEY, path VARCHAR(255)) SELECT id, path FROM avatars");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let blocker = runtime.block_on(async {
        let mut connection = world.database.connect().await.expect("a connection");
        // The first reference moves, the second waits for this row: the transaction is then in its middle.
        for sql in ["START TRANSACTION", "SELECT * FROM more WHERE path LIKE 'image/%' FOR UPDATE"] {
            sqlx::query(sql).execute(&mut connection).await.expect(sql);
        }
        connection
    });
    let running = world.start(&["copy"]);
    until_a_cutover_waits(&world, "more");
    running.kill();
    drop(blocker);
    until("the killed program's sessions are gone", || sessions(&world, "TRUE") == 0);
    assert_eq!(world.paths().iter().filter(|path| path.starts_with("image/")).count(), 4, "all or none");
    it_converges(&world);
    assert_eq!(world.column("SELECT COUNT(*) AS v FROM more WHERE path LIKE 'image/%'"), ["0"]);
}

/// Waits until the cutover of this world stands before a locked row of `table`.
pub(crate) fn until_a_cutover_waits(world: &World, table: &str) {
    // Not innodb_trx: that is a cache, which frequent readers keep from being renewed.
    let journal = format!("info LIKE '%am_row_change%`{table}`%FOR UPDATE' AND time_ms > 50");
    until("the cutover waits for a row", || sessions(world, &journal) > 0);
}

fn sessions(world: &World, which: &str) -> usize {
    let database = world.database.name();
    let others = format!("db = '{database}' AND id <> CONNECTION_ID() AND {which}");
    world.column(&format!("SELECT id AS v FROM information_schema.processlist WHERE {others}")).len()
}
