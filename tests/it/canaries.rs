//! Promises 2 and 3 on endpoints that ignore conditions: what is not enforced is seen before it is relied on.

use avatar_migrate_kit::{Fault, Ignored};

use crate::support::{World, content};

fn three_avatars() -> World {
    let world = World::new();
    for n in 1..=3 {
        let key = format!("image/avatar-{n}.png");
        world.source(&key);
        world.rows(&[&key]);
    }
    world
}

#[test]
fn an_endpoint_that_overwrites_is_named_and_overwrites_nothing() {
    let world = three_avatars();
    world.s3.ignore(&[Ignored::Target]);
    world.put("production-s3", "avatar/avatar-2.png", b"somebody else's".to_vec());
    let copied = world.run(&["copy"]).exits(3);
    assert!(copied.stderr.contains("would overwrite"), "{}", copied.stderr);
    assert_eq!((copied.number("/objects/copied"), copied.number("/objects/conflict")), (2, 1));
    assert_eq!(world.body("production-s3", "avatar/avatar-2.png"), Some(b"somebody else's".to_vec()));
    let scratch = world.s3.keys("production-s3").into_iter().filter(|key| key.starts_with(".avatar-migrate/"));
    assert_eq!(scratch.count(), 0);
}

#[test]
fn nothing_is_copied_where_the_endpoint_cannot_be_tried() {
    let world = three_avatars();
    // Windows are looked at meanwhile, and wait for what comes of it.
    world.s3.on_request(|request| match request.operation.as_str() {
        "PutObject" => Fault::Status(403, "AccessDenied".to_owned()),
        _ => Fault::None,
    });
    let refused = world.run(&["copy"]).exits(2);
    assert!(refused.stderr.contains("s3:PutObject is needed on .avatar-migrate/*"), "{}", refused.stderr);
    assert_eq!(world.s3.keys("production-s3"), Vec::<String>::new());
    let requests = world.s3.requests();
    assert_eq!((requests.get("PutObject"), requests.get("CopyObject")), (Some(&1), None), "it is tried once");
}

#[test]
fn an_endpoint_without_conditional_deletes_is_refused_unless_told() {
    let world = three_avatars();
    world.s3.ignore(&[Ignored::Delete, Ignored::DeleteBatch]);
    world.run(&["copy"]).exits(0);
    let refused = world.run(&["finalize", "--yes"]).exits(4);
    assert!(refused.stderr.contains("--unconditional-delete"), "{}", refused.stderr);
    assert_eq!(world.s3.keys("legacy-s3").len(), 3, "nothing is deleted, and no scratch object is left");
    let finalized = world.run(&["finalize", "--yes", "--unconditional-delete"]).exits(0);
    assert_eq!(finalized.number("/objects/deleted"), 3);
    assert_eq!(world.body("production-s3", "avatar/avatar-1.png"), Some(content("image/avatar-1.png")));
}

#[test]
fn single_conditional_deletes_serve_where_batches_ignore_etags() {
    let world = three_avatars();
    world.s3.ignore(&[Ignored::DeleteBatch]);
    world.run(&["copy"]).exits(0);
    world.s3.reset_requests();
    world.run(&["finalize", "--yes"]).exits(0);
    assert!(world.s3.keys("legacy-s3").is_empty());
    assert!(world.s3.requests()["DeleteObject"] >= 3, "{:?}", world.s3.requests());
}
