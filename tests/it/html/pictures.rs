//! What stands where a picture cannot be shown; that costs the page a picture, and the verify nothing.

use avatar_migrate_kit::{Fault, RequestSeen, png};

use crate::process::once;
use crate::support::{Ended, World};

fn verify(world: &World, code: i32) -> (Ended, String) {
    let ended = world.run(&["verify", "--report", "out.csv", "--html", "out.html"]).exits(code);
    (ended, std::fs::read_to_string(world.directory.path().join("out.html")).expect("a page"))
}

fn copied(name: &str, body: Vec<u8>) -> World {
    let world = World::new();
    let key = format!("image/{name}");
    world.put("legacy-s3", &key, body);
    world.rows(&[&key]);
    world.run(&["copy"]).exits(0);
    world
}

fn is_get_of(request: &RequestSeen, bucket: &str) -> bool {
    request.operation == "GetObject" && request.bucket.as_deref() == Some(bucket)
}

#[test]
fn what_is_no_picture_is_not_drawn() {
    let svg = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>".to_vec();
    let world = copied("avatar-1.svg", svg);
    let (_, page) = verify(&world, 0);
    assert_eq!(page.matches("no PNG, JPEG, GIF, WebP or AVIF: not shown").count(), 2);
    assert!(!page.contains("onload") && !page.contains("<img"), "{page}");
}

#[test]
fn a_large_object_is_read_no_further_than_it_is_shown() {
    let world = copied("avatar-1.png", png(1));
    let large = [png(2), vec![0; 1 << 20]].concat();
    world.put("production-s3", "avatar/avatar-2.png", large);
    world.source("image/avatar-2.png");
    world.rows(&["image/avatar-2.png"]);
    let (ended, page) = verify(&world, 3);
    assert_eq!(page.matches("larger than 256 KiB: not shown").count(), 1);
    assert_eq!(page.matches("<img src=\"data:image/png;base64,").count(), 3);
    assert!(page.contains(">Pictures that differ</h2>"));
    assert_eq!(ended.number("/requests/get"), 4);
    assert!(page.len() < 200_000, "{} bytes", page.len());
}

#[test]
fn a_picture_that_cannot_be_read_is_said_and_fails_nothing() {
    let world = copied("avatar-1.png", png(1));
    world.s3.on_request(|request| {
        if is_get_of(request, "legacy-s3") { Fault::Status(403, "AccessDenied".to_owned()) } else { Fault::None }
    });
    let (ended, page) = verify(&world, 0);
    assert!(ended.stderr.contains("a picture for the page could not be read"), "{}", ended.stderr);
    assert!(ended.stderr.contains("s3:GetObject is needed"), "{}", ended.stderr);
    assert_eq!(page.matches("could not be read: see the log").count(), 1);
    assert_eq!(page.matches("<img ").count(), 1);
}

#[test]
fn a_picture_that_changed_meanwhile_is_not_taken_for_the_compared_one() {
    let world = copied("avatar-1.png", png(1));
    once(
        &world.s3,
        |request| is_get_of(request, "production-s3"),
        |s3| s3.put("production-s3", "avatar/avatar-1.png", png(2)),
    );
    let (_, page) = verify(&world, 0);
    assert_eq!(page.matches("changed since it was compared").count(), 1);
    assert_eq!(page.matches("<img ").count(), 1);
}
