//! Where the page goes, and where it cannot.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::worlds::clean;
use crate::support::World;

/// Names in the directory of a world, but for its folders.
fn files(world: &World) -> Vec<String> {
    let entries = fs::read_dir(world.directory.path()).expect("a directory");
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn the_page_is_named_where_it_is_and_belongs_to_its_owner() {
    let world = clean();
    let ended = world.run(&["verify", "--html", "pages/../out.html", "--report", "out.csv"]);
    let ended = ended.exits(2);
    assert!(ended.stderr.contains("there is no directory pages/.."), "{}", ended.stderr);
    let ended = world.run(&["verify", "--html", "out.html", "--report", "out.csv"]).exits(0);
    assert_eq!(ended.json["html"], "out.html");
    // 12 pairs are 24 requests, counted like all others.
    assert_eq!(ended.number("/requests/get"), 24);
    assert_eq!(files(&world), ["out.csv", "out.html"]);
    let mode = fs::metadata(world.directory.path().join("out.html")).expect("a page").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let plain = world.run(&["verify", "--report", "out.csv"]).exits(0);
    assert_eq!((plain.json.get("html"), plain.number("/requests/get")), (None, 0));
    let mut human = world.command(&world.database.url(), &["verify", "--html", "out.html", "--report", "out.csv"]);
    human.env("AVATAR_MIGRATE_FORMAT", "human");
    let human = crate::process::Running::start(human).ended().exits(0);
    assert!(human.stdout.contains("\n  page      out.html\n"), "{}", human.stdout);
}

#[test]
fn a_place_where_no_page_can_be_is_refused_before_the_work() {
    let world = clean();
    fs::create_dir(world.directory.path().join("folder")).expect("a folder");
    std::os::unix::fs::symlink("out.csv", world.directory.path().join("link.csv")).expect("a link");
    for (html, said) in [
        ("no/out.html", "cannot write the page no/out.html: there is no directory no"),
        ("folder", "folder: it exists and is no regular file"),
        ("out.csv", "--html would overwrite the file that --report names: out.csv"),
        ("folder/../out.csv", "--html would overwrite the file that --report names: folder/../out.csv"),
        ("/dev/null", "cannot write the page /dev/null: it exists and is no regular file"),
    ] {
        let ended = world.run(&["verify", "--report", "out.csv", "--html", html]).exits(2);
        assert!(ended.stderr.contains(said), "{}", ended.stderr);
        assert_eq!(files(&world), ["folder", "link.csv"], "{html}");
    }
    fs::write(world.directory.path().join("out.csv"), "older").expect("a file");
    let ended = world.run(&["verify", "--report", "out.csv", "--html", "link.csv"]).exits(2);
    assert!(ended.stderr.contains("would overwrite the file that --report names"), "{}", ended.stderr);
    assert_eq!(fs::read_to_string(world.directory.path().join("out.csv")).expect("a file"), "older");
}
