//! Prefixes, patterns and names that would be something else in a configuration, if they were let.

use avatar_migrate_kit::WebServer;

use super::client::{Request, target};
use super::{SERVERS, format_of, start};
use crate::support::{World, content};

const PREFIXES: [&str; 12] = [
    "im\"age; return 200 hacked; }/",
    "it's $host \\ {x}/",
    "%[env(HOME)] %% \\1/",
    "${HOME}#/",
    "*/ alert(1); /*/",
    "(?<x>.*)[^/+|)/",
    "{{LISTEN}}/",
    "ü\u{2028}\u{e0041}ß/",
    "~^default include volatile hostnames/",
    "' if TRUE/",
    "a,b;c=d&e?f/",
    "</script><!--/",
];

const PATTERN: &str = "a\"v'$;#%(|)+.^ü ?*";

fn flags() -> Vec<String> {
    let mut flags = vec!["--name-pattern".to_owned(), PATTERN.to_owned()];
    for prefix in PREFIXES {
        flags.extend(["--legacy-prefix".to_owned(), prefix.to_owned()]);
        flags.extend(["--modern-prefix".to_owned(), format!("modern {prefix}")]);
    }
    flags
}

#[test]
fn hostile_settings_are_prefixes_and_nothing_else() {
    for server in SERVERS {
        let world = World::bare();
        for bucket in ["legacy-s3", "production-s3"] {
            world.s3.make_public(bucket, false);
        }
        let (flags, name) = (flags(), PATTERN.replace('?', "é").replace('*', "x.png"));
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        let proxy = start(&world, server, &flags);
        for (n, prefix) in PREFIXES.into_iter().enumerate() {
            let key = format!("{prefix}{name}");
            world.source(&key);
            // Half of them have moved.
            if n % 2 == 0 {
                world.target(&format!("modern {prefix}{name}"), &key);
            }
            for url in [target(prefix, &name), target(&format!("modern {prefix}"), &name)] {
                let answer = Request::get(&url).to(proxy.address());
                let from = if n % 2 == 0 { "production" } else { "legacy" };
                assert_eq!(
                    (answer.status, answer.header("avatar-migrate-from")),
                    (200, Some(from)),
                    "{server:?} {url}"
                );
                assert!(answer.body == content(&key), "{server:?} {url}");
            }
            // What does not fit the pattern, by a little.
            let other = target(prefix, &name.replacen('(', "x", 1));
            assert_eq!(
                Request::get(&other).to(proxy.address()).header("avatar-migrate-from"),
                Some("legacy"),
                "{other}"
            );
        }
        assert_eq!(Request::get("/").to(proxy.address()).status, 404);
    }
}

#[test]
fn a_control_character_is_refused_before_anything_is_printed() {
    let world = World::bare();
    for server in SERVERS {
        for (flag, text) in [
            ("--legacy-prefix", "a\n}\nserver { listen 81; }/"),
            ("--modern-prefix", "b\u{85}/"),
            ("--name-pattern", "a\rb*"),
            ("--modern-key-prefix", "c\0d/"),
        ] {
            // No argument of a process can hold a NUL.
            let text = text.replace('\0', "\u{1}");
            let mut flags = vec!["redirect", "--format", format_of(server), flag, &text];
            if flag == "--modern-prefix" || flag == "--legacy-prefix" {
                let twin = if flag == "--modern-prefix" { "--legacy-prefix" } else { "--modern-prefix" };
                flags.extend([twin, "z/"]);
            }
            let ended = world.run(&flags).exits(2);
            assert_eq!(ended.stdout, "");
            assert!(ended.stderr.contains("holds a control character"), "{}", ended.stderr);
        }
    }
}

/// A URL may have a host that no DNS has, with signs in it that mean something elsewhere.
#[test]
fn a_host_is_a_name_and_nothing_else() {
    let world = World::bare();
    for server in SERVERS {
        for host in ["$host", "a;b", "a\"b", "it's", "{a}", "a(b"] {
            let url = format!("http://{host}/");
            for flag in ["--modern-url", "--source-endpoint-url", "--target-endpoint-url"] {
                let ended = world.run(&["redirect", "--format", format_of(server), flag, &url]).exits(2);
                assert!(ended.stderr.contains("DNS cannot know"), "{flag} {url}: {}", ended.stderr);
                assert_eq!(ended.stdout, "");
            }
        }
    }
}

/// Prefixes as long as keys can be: HAProxy takes them, and nginx is told about before it would complain.
#[test]
fn long_prefixes_fit_or_are_refused() {
    let world = World::bare();
    let (legacy, modern) = (format!("{}/", "ä ".repeat(330)), format!("{}/", "m".repeat(1000)));
    let flags = ["--legacy-prefix", &legacy, "--modern-prefix", &modern];
    let printed = world.run(&[&["redirect", "--format", "haproxy"], &flags[..]].concat()).exits(0);
    WebServer::Haproxy.check(&printed.stdout).unwrap_or_else(|error| panic!("{error:#}"));
    let refused = world.run(&[&["redirect", "--format", "nginx"], &flags[..]].concat()).exits(2);
    assert!(refused.stderr.contains("is too long for a parameter of nginx"), "{}", refused.stderr);
    let plain = format!("{}/", "i".repeat(1000));
    let printed = world.run(&["redirect", "--format", "nginx", "--legacy-prefix", &plain, "--modern-prefix", &modern]);
    WebServer::Nginx.check(&printed.exits(0).stdout).unwrap_or_else(|error| panic!("{error:#}"));
}
