//! Single requests through nginx and HAProxy: what reaches the buckets, and what comes back.

use std::sync::{Arc, Mutex};

use avatar_migrate_kit::{Fault, WebServer};

use super::client::{Answer, Request};
use super::{SERVERS, start};
use crate::process::once;
use crate::support::{World, content};

/// A world with public buckets, and a picture in each of the two only.
fn pictures() -> World {
    let world = World::bare();
    for bucket in ["legacy-s3", "production-s3"] {
        world.s3.make_public(bucket, false);
    }
    world.source("image/avatar-legacy.png");
    world.target("avatar/avatar-modern.png", "image/avatar-modern.png");
    world.source("image/logo.png");
    world.target("avatar/banner.png", "image/banner.png");
    world
}

/// Runs a test with each server.
fn with_each(flags: &[&str], test: impl Fn(&World, &dyn Fn(Request) -> Answer)) {
    for server in SERVERS {
        let world = pictures();
        let proxy = start(&world, server, flags);
        test(&world, &|request| request.to(proxy.address()));
    }
}

fn shows(answer: &Answer, key: &str, bucket: &str) {
    assert_eq!((answer.status, answer.header("avatar-migrate-from")), (200, Some(bucket)), "{key}");
    assert!(answer.body == content(key), "{key}");
}

#[test]
fn both_urls_show_what_either_bucket_has() {
    with_each(&[], |world, ask| {
        for folder in ["image", "avatar"] {
            shows(&ask(Request::get(&format!("/{folder}/avatar-legacy.png"))), "image/avatar-legacy.png", "legacy");
            shows(&ask(Request::get(&format!("/{folder}/avatar-modern.png"))), "image/avatar-modern.png", "production");
            let encoded = format!("/{folder}/%61vatar%2dlegacy%2Epng");
            shows(&ask(Request::get(&encoded)), "image/avatar-legacy.png", "legacy");
        }
        // Production comes first.
        world.target("avatar/avatar-legacy.png", "image/newer.png");
        shows(&ask(Request::get("/image/avatar-legacy.png")), "image/newer.png", "production");
        assert_eq!(ask(Request::get("/image/avatar-nowhere.png")).status, 403);
        for bucket in ["legacy-s3", "production-s3"] {
            world.s3.make_public(bucket, true);
        }
        assert_eq!(ask(Request::get("/image/avatar-nowhere.png")).status, 404);
        world.source("image/avatar-2.png");
        shows(&ask(Request::get("/avatar/avatar-2.png")), "image/avatar-2.png", "legacy");
    });
}

#[test]
fn what_does_not_fit_the_pattern_stays_where_it_is() {
    with_each(&[], |world, ask| {
        shows(&ask(Request::get("/image/logo.png")), "image/logo.png", "legacy");
        shows(&ask(Request::get("/avatar/banner.png")), "image/banner.png", "production");
        world.target("avatar/logo.png", "another logo");
        shows(&ask(Request::get("/image/logo.png")), "image/logo.png", "legacy");
        world.s3.reset_requests();
        assert_eq!(ask(Request::get("/image/banner.png")).status, 403);
        assert_eq!(world.s3.requests().get("GetObject"), Some(&1), "nowhere else");
        for elsewhere in ["/", "/images/avatar-1.png", "/favicon.ico", "/both", "/production", "/1/avatar-1.png"] {
            assert_eq!(ask(Request::get(elsewhere)).status, 404, "{elsewhere}");
        }
    });
}

#[test]
fn heads_ranges_and_conditions_reach_the_bucket_that_has_the_object() {
    with_each(&[], |_, ask| {
        for (name, bucket) in [("legacy", "legacy"), ("modern", "production")] {
            let (url, key) = (format!("/image/avatar-{name}.png"), format!("image/avatar-{name}.png"));
            let whole = ask(Request::get(&url));
            assert_eq!(whole.header("content-type"), Some("image/png"));
            assert_eq!(whole.header("cache-control"), Some("max-age=60"));
            let head = ask(Request::of("HEAD", &url));
            assert_eq!((head.status, head.header("avatar-migrate-from")), (200, Some(bucket)));
            assert_eq!((head.header("content-length"), head.body.len()), (whole.header("content-length"), 0));
            let range = ask(Request::get(&url).with("Range", "bytes=2-5"));
            assert_eq!((range.status, range.body.as_slice()), (206, &content(&key)[2..6]));
            let etag = whole.header("etag").expect("an ETag");
            assert_eq!(ask(Request::get(&url).with("If-None-Match", etag)).status, 304);
            assert_eq!(ask(Request::get(&url).with("If-Match", "\"other\"")).status, 412);
        }
    });
}

/// A header that the server would take for a signature, a query that it would take for an order, a body.
#[test]
fn nothing_of_a_client_but_the_key_reaches_the_buckets() {
    with_each(&[], |world, ask| {
        let get = || Request::get("/image/avatar-legacy.png");
        let answer = ask(get().with("Authorization", "AWS4-HMAC-SHA256 Credential=x").with("Cookie", "session=1"));
        shows(&answer, "image/avatar-legacy.png", "legacy");
        let answer =
            ask(get().with("x-amz-expected-bucket-owner", "000000000000").with("X-Amz-Date", "20200101T000000Z"));
        shows(&answer, "image/avatar-legacy.png", "legacy");
        shows(&ask(Request::get("/image/avatar-legacy.png?tagging&v=3")), "image/avatar-legacy.png", "legacy");
        assert_eq!(world.s3.requests().keys().collect::<Vec<_>>(), ["GetObject"]);
        world.s3.reset_requests();
        for method in ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"] {
            let answer = ask(Request::of(method, "/image/avatar-legacy.png"));
            assert_eq!((answer.status, answer.header("allow")), (405, Some("GET, HEAD")), "{method}");
        }
        for dots in [
            "/image/../avatar-1.png",
            "/image/%2e%2E/avatar-1.png",
            "/image/a%2F..%2favatar-1.png",
            "/image/./avatar-1",
        ] {
            assert_eq!(ask(Request::get(dots)).status, 400, "{dots}");
        }
        assert!(world.s3.requests().is_empty(), "{:?}", world.s3.requests());
        assert!([200, 400].contains(&ask(get().with_body("<Delete/>")).status));
        assert!(!world.s3.requests().contains_key("PutObject"));
    });
}

#[test]
fn an_error_of_production_is_never_taken_for_an_absent_object() {
    with_each(&[], |world, ask| {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&asked);
        world.s3.on_request(move |request| {
            let bucket = request.bucket.clone().unwrap_or_default();
            let fault = bucket == "production-s3";
            seen.lock().expect("a lock").push(bucket);
            if fault { Fault::Status(503, "SlowDown".to_owned()) } else { Fault::None }
        });
        for url in ["/image/avatar-legacy.png", "/avatar/avatar-modern.png", "/image/avatar-nowhere.png"] {
            assert_eq!(ask(Request::get(url)).status, 503, "{url}");
        }
        assert_eq!(*asked.lock().expect("a lock"), ["production-s3"; 3]);
        world.s3.no_faults();
    });
}

#[test]
fn what_moves_between_two_looks_is_found_by_the_third() {
    with_each(&[], |world, ask| {
        let of_legacy = |request: &avatar_migrate_kit::RequestSeen| request.bucket.as_deref() == Some("legacy-s3");
        once(&world.s3, of_legacy, |s3| {
            let moved = s3.object("legacy-s3", "image/avatar-legacy.png").expect("the picture");
            s3.put("production-s3", "avatar/avatar-legacy.png", moved.body);
            assert!(s3.remove("legacy-s3", "image/avatar-legacy.png"));
        });
        shows(&ask(Request::get("/image/avatar-legacy.png")), "image/avatar-legacy.png", "production");
    });
}

#[test]
fn redirects_keep_the_query_and_leave_the_host_to_the_settings() {
    with_each(&["--stage", "redirect"], |_, ask| {
        let answer = ask(Request::get("/image/a%20b/avatar-%C3%A4+.png?v=3&w=%26"));
        assert_eq!(
            (answer.status, answer.header("location")),
            (301, Some("/avatar/a%20b/avatar-%C3%A4+.png?v=3&w=%26"))
        );
        shows(&ask(Request::get("/avatar/avatar-legacy.png")), "image/avatar-legacy.png", "legacy");
        shows(&ask(Request::get("/image/logo.png")), "image/logo.png", "legacy");
    });
    let flags =
        ["--stage", "redirect", "--legacy-url", "https://old.example/x/", "--modern-url", "//new.example/a%20b"];
    with_each(&flags, |_, ask| {
        let answer = ask(Request::of("HEAD", "/x/image/avatar-1.png"));
        assert_eq!(answer.header("location"), Some("https://new.example/a%20b/avatar/avatar-1.png"));
        shows(&ask(Request::get("/a%20b/avatar/avatar-legacy.png")), "image/avatar-legacy.png", "legacy");
        assert_eq!(ask(Request::get("/image/avatar-legacy.png")).status, 404);
    });
}

/// Keys other than paths, several mappings, URLs, one bucket as a whole.
#[test]
fn every_mapping_has_keys_of_its_own() {
    let flags = [
        ["--legacy-prefix", "https://old.example/pics/"],
        ["--modern-prefix", "https://new.example/people/"],
        ["--legacy-key-prefix", ""],
        ["--modern-key-prefix", "p/"],
        ["--name-pattern", "*"],
        ["--legacy-prefix", "/image/"],
        ["--modern-prefix", "avatar/"],
        ["--legacy-key-prefix", "i/"],
        ["--modern-key-prefix", "avatar/"],
    ];
    let overlapping = flags.concat();
    let flags = flags[..5].concat();
    with_each(&flags, |world, ask| {
        world.target("p/x/one.png", "one");
        world.source("two.png");
        shows(&ask(Request::get("/pics/x/one.png")), "one", "production");
        shows(&ask(Request::get("/people/two.png")), "two.png", "legacy");
        world.s3.reset_requests();
        for folder in ["/pics/", "/people/", "/pics/?list-type=2"] {
            assert_eq!(ask(Request::get(folder)).status, 404, "{folder}");
        }
        assert!(world.s3.requests().is_empty(), "an empty key would be a list: {:?}", world.s3.requests());
    });
    // One of two prefixes that take a whole bucket.
    let world = pictures();
    world.run(&[&["redirect", "--format", "nginx"], &overlapping[..]].concat()).exits(2);
    let several = [
        "--legacy-prefix",
        "image/",
        "--modern-prefix",
        "avatar/",
        "--legacy-prefix",
        "old/",
        "--modern-prefix",
        "new/",
    ];
    with_each(&several, |world, ask| {
        world.source("old/avatar-9.png");
        shows(&ask(Request::get("/new/avatar-9.png")), "old/avatar-9.png", "legacy");
        shows(&ask(Request::get("/avatar/avatar-legacy.png")), "image/avatar-legacy.png", "legacy");
    });
}

#[test]
fn what_is_printed_belongs_to_the_programs_of_debian() {
    let world = World::bare();
    for server in SERVERS {
        // Of AWS, with names and TLS: nothing is resolved or asked to look at it.
        for region in ["eu-central-1", "cn-north-1"] {
            let flags =
                ["--source-region", region, "--source-endpoint-url=https://s3.example.org/", "--resolver", "127.0.0.1"];
            for stage in ["dual-read", "redirect"] {
                let format = super::format_of(server);
                let printed = world.run(&[&["redirect", "--format", format, "--stage", stage], &flags[..]].concat());
                server.check(&printed.exits(0).stdout).unwrap_or_else(|error| panic!("{error:#}"));
            }
        }
    }
    assert!(WebServer::Nginx.check("nonsense").is_err() && WebServer::Haproxy.check("nonsense").is_err());
}
