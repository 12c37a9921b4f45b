//! Promises 2 and 3 on endpoints that ignore conditions: what is not enforced is seen before it is relied on.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

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
    // Each begins with its first scratch object; windows are looked at meanwhile, and wait for what comes of it.
    let trials = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&trials);
    world.s3.on_request(move |request| match (request.operation.as_str(), request.key.as_deref()) {
        ("PutObject", Some(key)) => {
            counted.fetch_add(u64::from(key.ends_with("-1")), Ordering::SeqCst);
            Fault::Status(403, "AccessDenied".to_owned())
        }
        _ => Fault::None,
    });
    let refused = world.run(&["copy"]).exits(2);
    assert!(refused.stderr.contains("s3:PutObject is needed on .avatar-migrate/*"), "{}", refused.stderr);
    assert_eq!(world.s3.keys("production-s3"), Vec::<String>::new());
    assert_eq!(world.s3.requests().get("CopyObject"), None);
    assert_eq!(trials.load(Ordering::SeqCst), 1, "it is tried once");
}

/// Some servers let the first write into a bucket wait, where others that come after it do not.
#[test]
fn copies_do_not_wait_for_the_first_write_into_a_bucket() {
    let world = three_avatars();
    world.s3.on_request(|request| match request.operation.as_str() {
        "PutObject" if request.nth == 1 => Fault::DelayMillis(5_000),
        _ => Fault::None,
    });
    let noted = world.noted();
    world.run(&["copy"]).exits(0);
    let written = noted.nth("PutObject .avatar-migrate/canary-copy-1-1");
    assert!(noted.nth("CopyObject avatar/") < written, "{noted:#?}");
    assert!(written < noted.nth("DeleteObject .avatar-migrate/canary-copy-1-1"), "{noted:#?}");
    assert!(world.s3.keys("production-s3").iter().all(|key| key.starts_with("avatar/")), "no scratch object is left");
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
