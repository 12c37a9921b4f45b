//! Listings in several ranges at once: as many requests in flight as there are ranges, hardly more of them, and no key lost.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use avatar_migrate_kit::{Fault, ObjectHeaders};

use crate::support::{AVATARS, World};

/// A legacy bucket with so many objects that no row names, and one that is modern.
fn orphans(count: usize) -> World {
    let world = World::new();
    for n in 0..count {
        let key = format!("image/avatar-{n}.png");
        world.s3.put_with("legacy-s3", &key, "x", ObjectHeaders::default(), |_| ());
    }
    world.target("avatar/avatar-modern.png", "image/avatar-modern.png");
    world.rows(&["avatar/avatar-modern.png"]);
    world
}

/// Listings that are under way, and how many were at most.
#[derive(Default)]
struct InFlight {
    now: usize,
    at_most: usize,
}

/// Each listing takes a while from now on.
fn slow_listings(world: &World) -> Arc<Mutex<InFlight>> {
    let flight = Arc::new(Mutex::new(InFlight::default()));
    let (begun, ended) = (Arc::clone(&flight), Arc::clone(&flight));
    world.s3.reset_requests();
    world.s3.on_request(move |request| {
        if request.operation != "ListObjectsV2" {
            return Fault::None;
        }
        let mut flight = begun.lock().expect("a count");
        flight.now += 1;
        flight.at_most = flight.at_most.max(flight.now);
        // Far longer than a busy machine takes to read a page.
        Fault::DelayMillis(100)
    });
    world.s3.after_request(move |request| {
        if request.operation == "ListObjectsV2" {
            ended.lock().expect("a count").now -= 1;
        }
    });
    flight
}

fn verify(world: &World, flags: &[&str]) -> (u64, u64) {
    let ended = world.run(&[&["verify", "--report", "out.csv"], flags].concat()).exits(0);
    (ended.number("/orphans"), world.s3.requests()["ListObjectsV2"])
}

#[test]
fn a_large_bucket_is_listed_in_several_ranges() {
    let world = orphans(40_000);
    let flight = slow_listings(&world);
    let (found, lists) = verify(&world, &[]);
    assert_eq!(found, 40_000);
    let keys: BTreeSet<String> = world.report("out.csv").into_iter().map(|line| line["source_key"].clone()).collect();
    assert_eq!(keys.len(), 40_001);
    // At most eight ranges of the one bucket, and the one page of the other may overlap with them.
    let at_most = flight.lock().expect("a count").at_most;
    assert!((5..=9).contains(&at_most), "{at_most} listings at once");
    // In one chain: 40 pages, one of the other bucket, and a look at each before.
    assert!((43..=53).contains(&lists), "{lists} listings");
}

#[test]
fn one_request_at_once_is_one() {
    let world = orphans(9_000);
    let flight = slow_listings(&world);
    let (found, lists) = verify(&world, &["--concurrency", "1"]);
    assert_eq!((found, lists), (9_000, 9 + 1 + 2));
    assert_eq!(flight.lock().expect("a count").at_most, 1);
}

#[test]
fn seaweedfs_has_an_order_of_its_own_and_loses_nothing() {
    let world = World::bare_on_seaweed();
    world.sql(AVATARS);
    // A folder beside files whose names begin with the folder's: bytes put `-` before `/`, and SeaweedFS the folder first.
    let keys: Vec<String> = (0..5500)
        .map(|n| format!("image/avatar{}avatar-{n}.png", if n % 3 == 0 { "/" } else { "-" }))
        .map(|key| key.replace("avatar-avatar", "avatar"))
        .collect();
    world.s3.put_many(&keys);
    world.target("avatar/avatar-modern.png", "image/avatar-modern.png");
    world.rows(&["avatar/avatar-modern.png"]);
    let ended = world.run(&["verify", "--report", "out.csv"]).exits(0);
    let found: BTreeSet<String> = world.report("out.csv").into_iter().map(|line| line["source_key"].clone()).collect();
    let missing: Vec<&String> = keys.iter().filter(|key| !found.contains(*key)).collect();
    assert_eq!(missing, Vec::<&String>::new());
    assert_eq!(ended.number("/orphans"), 5500);
}
