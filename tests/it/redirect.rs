//! `redirect`: the configuration that it prints, in the programs that it is for.

mod client;
mod cloudfront;
mod golden;
mod hostile;
mod requests;
mod secure;
mod visitors;

use std::net::SocketAddr;

use avatar_migrate_kit::{RunningWebServer, WebServer};

use crate::support::World;
use client::{Request, target};
use visitors::Visitors;

const SERVERS: [WebServer; 2] = [WebServer::Nginx, WebServer::Haproxy];

fn format_of(server: WebServer) -> &'static str {
    match server {
        WebServer::Nginx => "nginx",
        WebServer::Haproxy => "haproxy",
    }
}

/// Starts the real program with what is printed for a world.
fn start(world: &World, server: WebServer, flags: &[&str]) -> RunningWebServer {
    let configure = |address: SocketAddr| {
        let listen = address.to_string();
        let command = ["redirect", "--format", format_of(server), "--listen", &listen];
        world.run(&[&command, flags].concat()).exits(0).stdout
    };
    server.start(configure).unwrap_or_else(|error| panic!("{error:#}"))
}

/// Names that a URL cannot hold as they are.
const ODD: [&str; 5] =
    ["avatar-a b+c.png", "avatar-ä👍.png", "avatar-100%.png", "2024/avatar-?#&=.png", "a//avatar-'(x)\"$.png"];

/// A migration with rows of both kinds, names of all kinds, and something that is none of its business.
fn populated(may_list: bool) -> (World, Vec<(String, String)>) {
    let world = World::new();
    world.s3.make_public("legacy-s3", may_list);
    world.s3.make_public("production-s3", may_list);
    let mut rests: Vec<String> = (0..30).map(|n| format!("avatar-{n}.png")).collect();
    rests.extend(ODD.map(str::to_owned));
    for (n, rest) in rests.iter().enumerate() {
        let (legacy, modern) = (format!("image/{rest}"), format!("avatar/{rest}"));
        world.source(&legacy);
        if n % 3 == 0 {
            world.target(&modern, &legacy);
        }
        world.rows(&[if n % 3 == 0 { &modern } else { &legacy }]);
    }
    world.source("image/logo.png");
    world.rows(&["image/logo.png"]);
    // Both URLs of each picture, and the key whose content both have to show.
    let of_rest = |rest: &String| {
        let content_of = format!("image/{rest}");
        [(target("image/", rest), content_of.clone()), (target("avatar/", rest), content_of)]
    };
    let urls = rests.iter().flat_map(of_rest).chain([("/image/logo.png".to_owned(), "image/logo.png".to_owned())]);
    let urls = urls.collect();
    (world, urls)
}

/// A whole migration: at no instant does any URL show anything but its picture.
fn a_whole_migration(server: WebServer, may_list: bool) {
    let (world, urls) = populated(may_list);
    let proxy = start(&world, server, &[]);
    let visitors = Visitors::start(proxy.address(), urls.clone());
    visitors.see_everything();
    let steps: [&[&str]; 3] = [&["copy"], &["verify", "--report", "out.csv"], &["finalize", "--yes"]];
    for command in steps {
        world.run(command).exits(0);
        visitors.see_everything();
    }
    assert_eq!(
        world.s3.keys("legacy-s3"),
        ["image/logo.png"],
        "the legacy bucket is empty but for what is out of scope"
    );
    let rounds = visitors.stop();
    assert!(rounds >= 5, "only {rounds} rounds");
    drop(proxy);

    let redirecting = start(&world, server, &["--stage", "redirect", "--modern-url", "https://modern-url/"]);
    for (url, _) in urls.iter().filter(|(url, _)| url.starts_with("/image/") && !url.ends_with("/logo.png")) {
        let answer = Request::get(url).to(redirecting.address());
        let modern = url.replacen("/image/", "/avatar/", 1);
        assert_eq!(answer.header("location"), Some(format!("https://modern-url{modern}").as_str()), "{url}");
        assert_eq!((answer.status, answer.header("cache-control")), (301, Some("max-age=86400")), "{url}");
        assert_eq!(Request::get(&modern).to(redirecting.address()).status, 200, "{modern}");
    }
    let logo = Request::get("/image/logo.png").to(redirecting.address());
    assert_eq!((logo.status, logo.header("avatar-migrate-from")), (200, Some("legacy")));
}

#[test]
fn behind_nginx_every_url_shows_its_picture_all_the_time() {
    a_whole_migration(WebServer::Nginx, false);
}

#[test]
fn behind_haproxy_every_url_shows_its_picture_all_the_time() {
    a_whole_migration(WebServer::Haproxy, true);
}

/// After a rollback rows are legacy again, and pages of both kinds are still open somewhere.
#[test]
fn behind_both_a_rollback_is_seen_by_nobody() {
    for server in SERVERS {
        let (world, urls) = populated(false);
        let proxy = start(&world, server, &[]);
        let visitors = Visitors::start(proxy.address(), urls);
        world.run(&["copy"]).exits(0);
        world.run(&["finalize", "--yes"]).exits(0);
        visitors.see_everything();
        world.run(&["rollback", "--yes", "--restore-objects"]).exits(0);
        visitors.see_everything();
        visitors.stop();
    }
}
