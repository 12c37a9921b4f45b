//! What is printed for CloudFront, run: the function in Node.js, the parts of the distribution as AWS documents them.

use std::path::Path;
use std::process::Command;

use avatar_migrate_kit::node;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use super::client::target;
use super::populated;
use crate::process::Running;
use crate::support::{World, content};

/// The function and the distribution, as an operator would take them from one file.
struct Edge {
    directory: tempfile::TempDir,
    distribution: Value,
}

impl Edge {
    fn printed(world: &World, flags: &[&str]) -> Self {
        let printed = world.run(&[&["redirect", "--format", "cloudfront"], flags].concat()).exits(0).stdout;
        let lines: Vec<&str> = printed.lines().filter_map(|line| line.strip_prefix("//= ")).collect();
        let distribution = serde_json::from_str(&lines.join("\n")).expect("JSON");
        let directory = tempfile::tempdir().expect("a directory");
        std::fs::write(directory.path().join("function.js"), &printed).expect("a file");
        Self { directory, distribution }
    }

    /// The function's answers to requests for these URLs.
    fn run(&self, urls: &[String]) -> Vec<Value> {
        let events: Vec<Value> = urls.iter().map(|url| event(url)).collect();
        let harness = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/redirect/harness.js");
        let file = |name: &str| self.directory.path().join(name);
        std::fs::write(file("events.json"), serde_json::to_vec(&events).expect("JSON")).expect("a file");
        let mut command = Command::new(node().unwrap_or_else(|error| panic!("{error:#}")));
        command.arg(harness).arg(file("function.js")).arg(file("events.json"));
        let ended = Running::start(command).ended().exits(0);
        ended.json.as_array().expect("an answer each").clone()
    }

    /// What CloudFront answers: bucket and body, by its behaviors, origins and groups.
    fn answers(&self, world: &World, urls: &[String]) -> Vec<Option<(String, Vec<u8>)>> {
        let requests = self.run(urls);
        urls.iter().zip(&requests).map(|(url, request)| self.answer(world, url, request)).collect()
    }

    fn answer(&self, world: &World, url: &str, request: &Value) -> Option<(String, Vec<u8>)> {
        let items = |list: &str| self.distribution["DistributionConfig"][list]["Items"].as_array().expect(list).clone();
        let path = percent_decode_str(url.split('?').next().unwrap_or_default()).decode_utf8_lossy().into_owned();
        let fits = |behavior: &Value| fits(behavior["PathPattern"].as_str().expect("a pattern"), &path);
        let behavior = items("CacheBehaviors").into_iter().find(fits)?;
        let group = items("OriginGroups").into_iter().find(|group| group["Id"] == behavior["TargetOriginId"]);
        let members = group.map(|group| group["Members"]["Items"].as_array().expect("members").clone());
        let ids = members.unwrap_or_else(|| vec![json!({"OriginId": behavior["TargetOriginId"]})]);
        ids.iter().find_map(|member| {
            let origin =
                items("Origins").into_iter().find(|origin| origin["Id"] == member["OriginId"]).expect("an origin");
            let place = format!("{}{}", origin["OriginPath"].as_str()?, request["uri"].as_str()?);
            let place = percent_decode_str(&place).decode_utf8_lossy().into_owned();
            let (bucket, key) = place.trim_start_matches('/').split_once('/').expect("a bucket and a key");
            world.body(bucket, key).map(|body| (bucket.to_owned(), body))
        })
    }
}

/// A path pattern of CloudFront: `*` for any text, `?` for one character (AWS: "Path pattern").
fn fits(pattern: &str, path: &str) -> bool {
    match pattern.chars().next() {
        None => path.is_empty(),
        Some('*') => {
            path.char_indices().map(|(at, _)| at).chain([path.len()]).any(|at| fits(&pattern[1..], &path[at..]))
        }
        Some(sign) => {
            let mut rest = path.chars();
            rest.next().is_some_and(|letter| sign == '?' || sign == letter)
                && fits(&pattern[sign.len_utf8()..], rest.as_str())
        }
    }
}

/// A viewer request (AWS: "CloudFront Functions event structure").
fn event(url: &str) -> Value {
    let (uri, query) = url.split_once('?').unwrap_or((url, ""));
    let pairs = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (name.to_owned(), json!({"value": value}))
    });
    json!({
        "version": "1.0",
        "viewer": {"ip": "198.51.100.7"},
        "request": {
            "method": "GET", "uri": uri, "headers": {"avatar-migrate-mapping": {"value": "9"}}, "cookies": {},
            "querystring": Value::Object(pairs.collect()),
        },
    })
}

#[test]
fn behind_cloudfront_every_url_shows_its_picture_in_every_phase() {
    let (world, urls) = populated(false);
    let edge = Edge::printed(&world, &[]);
    let (targets, keys): (Vec<String>, Vec<String>) = urls.into_iter().unzip();
    let steps: [&[&str]; 3] = [&["copy"], &["verify", "--report", "out.csv"], &["finalize", "--yes"]];
    for command in [None].into_iter().chain(steps.map(Some)) {
        if let Some(command) = command {
            world.run(command).exits(0);
        }
        for ((url, key), answer) in targets.iter().zip(&keys).zip(edge.answers(&world, &targets)) {
            assert!(answer.is_some_and(|(_, body)| body == content(key)), "{url} after {command:?}");
        }
    }
}

/// Below folders of the site, with other keys, and where nothing but the host tells old from new.
#[test]
fn urls_and_keys_need_not_be_alike() {
    let world = World::bare();
    world.source("i/avatar-1.png");
    world.source("i/logo.png");
    world.put("production-s3", "p/avatar-2.png", content("i/avatar-2.png"));
    let keys = ["--legacy-key-prefix", "i/", "--modern-key-prefix", "p/"];
    let folders = ["--legacy-url", "https://h/m/", "--modern-url", "https://h/n/"];
    let in_place = ["--legacy-prefix", "https://old/pics/", "--modern-prefix", "https://new/pics/"];
    for (flags, legacy, modern) in [(folders, "/m/image", "/n/avatar"), (in_place, "/pics", "/pics")] {
        let edge = Edge::printed(&world, &[&keys[..], &flags].concat());
        for (name, bucket) in [("avatar-1.png", "legacy-s3"), ("avatar-2.png", "production-s3")] {
            for folder in [legacy, modern] {
                let answer = edge.answers(&world, &[format!("{folder}/{name}")]).remove(0);
                assert!(answer == Some((bucket.to_owned(), content(&format!("i/{name}")))), "{folder}/{name}");
            }
        }
        let logo = edge.answers(&world, &[format!("{legacy}/logo.png")]).remove(0);
        assert!(logo.is_some_and(|(bucket, _)| bucket == "legacy-s3"), "{legacy}");
    }
}

#[test]
fn the_function_cuts_prefixes_off_where_names_fit() {
    let world = World::bare();
    let several = [
        "--legacy-prefix",
        "image/",
        "--modern-prefix",
        "avatar/",
        "--legacy-prefix",
        "old/x/",
        "--modern-prefix",
        "new/",
    ];
    let edge = Edge::printed(&world, &several);
    let cases = [
        ("/image/avatar-1.png", "/avatar-1.png", Some("1")),
        ("/avatar/a%20b/avatar-%C3%A4+.png", "/a%20b/avatar-%C3%A4+.png", Some("1")),
        ("/%69mage/%61vatar-1", "/%61vatar-1", Some("1")),
        ("/old/x/avatar-1", "/avatar-1", Some("2")),
        ("/new/avatar-%zz", "/avatar-%zz", Some("2")),
        ("/image/logo.png", "/logo.png", Some("1-legacy")),
        ("/image/logo/avatar", "/logo/avatar", Some("1-legacy")),
        ("/new/logo.png", "/logo.png", Some("2-production")),
        ("/image/", "/", Some("1-legacy")),
        ("/image", "/image", None),
        ("/old/avatar-1", "/old/avatar-1", None),
        ("/", "/", None),
    ];
    let urls: Vec<String> = cases.iter().map(|(url, ..)| (*url).to_owned()).collect();
    for ((url, uri, mapping), request) in cases.iter().zip(edge.run(&urls)) {
        assert_eq!(request["uri"], *uri, "{url}");
        // What a client says itself of the mapping is not believed.
        assert_eq!(request["headers"]["avatar-migrate-mapping"]["value"].as_str(), *mapping, "{url}");
    }
    for dots in ["/image/../x", "/image/%2e./x", "/image/a%2f..%2Fx", "/./x"] {
        assert_eq!(edge.run(&[dots.to_owned()])[0]["statusCode"], 400, "{dots}");
    }
}

#[test]
fn the_function_redirects_once_it_is_told_to() {
    let world = World::bare();
    let edge = Edge::printed(&world, &["--stage", "redirect", "--modern-url", "https://modern-url/"]);
    let cases = [
        ("/image/avatar-1.png", "https://modern-url/avatar/avatar-1.png"),
        (
            "/image/a%20b/avatar-%C3%A4.png?flag&v=3&w=%26",
            "https://modern-url/avatar/a%20b/avatar-%C3%A4.png?flag&v=3&w=%26",
        ),
    ];
    for (url, location) in cases {
        let answer = edge.run(&[url.to_owned()]).remove(0);
        assert_eq!(answer["statusCode"], 301, "{url}");
        assert_eq!(answer["headers"]["location"]["value"], location, "{url}");
        assert_eq!(answer["headers"]["cache-control"]["value"], "max-age=86400");
    }
    let others = edge.run(&["/avatar/avatar-1.png".to_owned(), "/image/logo.png".to_owned()]);
    assert_eq!(
        others.iter().map(|request| request["uri"].as_str().expect("a path")).collect::<Vec<_>>(),
        ["/avatar-1.png", "/logo.png"]
    );
}

/// The function's own matching is the program's.
#[test]
fn names_fit_as_they_do_for_the_program() {
    let world = World::bare();
    let names = [
        "", "a", "ab", "abc", "a.b", "aab", "ba", "b", "👍", "a👍b", "äb", "a*b", "a?b", "aXbXb", "abab", "a-b.png",
        "a b",
    ];
    for glob in ["*", "a", "a*", "*b", "a*b", "?", "a?b", "**b", "a*b*b", "*a*b*", "??", "?*?", "*.png"] {
        let pattern = avatar_migrate::path::NamePattern::new(glob).expect(glob);
        let edge = Edge::printed(&world, &["--stage", "redirect", "--name-pattern", glob]);
        let urls: Vec<String> = names.iter().map(|name| target("image/x/", name)).collect();
        for (name, answer) in names.iter().zip(edge.run(&urls)) {
            assert_eq!(answer["statusCode"] == 301, pattern.matches(name), "{glob} {name}");
        }
    }
}

/// Characters that no path pattern can hold are refused; those that a script could take for its own are texts.
#[test]
fn hostile_settings_are_texts_of_the_function() {
    let world = World::bare();
    let prefixes = ["it's\"/", "$$~@:+&/", "*/alert(1);/*/"];
    for prefix in prefixes {
        let modern = format!("m{prefix}");
        let flags = ["--legacy-prefix", prefix, "--modern-prefix", &modern];
        let printed = world.run(&[&["redirect", "--format", "cloudfront"], &flags[..]].concat());
        if prefix.contains('(') {
            assert!(
                printed.exits(2).stderr.contains("a path pattern of CloudFront cannot hold `*` as itself"),
                "{prefix}"
            );
            continue;
        }
        printed.exits(0);
        let edge = Edge::printed(&world, &flags);
        let request = edge.run(&[target(prefix, "avatar-1.png")]).remove(0);
        assert_eq!(request["uri"], "/avatar-1.png", "{prefix}");
    }
}
