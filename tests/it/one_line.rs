//! The one-line form: copy, verify, finalize in order, stopping at the first that does not return 0.

use std::io::Write;
use std::process::Stdio;

use crate::support::{Ended, World};

/// Runs the one-line form with `password` as its fifth value and `input` on standard input.
pub(crate) fn one_line(world: &World, password: &str, input: &str, flags: &[&str]) -> Ended {
    let secret = world.database.mariadb().root_password();
    let url = world.database.url().replacen(&format!("root:{secret}@"), "", 1);
    let values = ["legacy-s3", "production-s3", &url, "root", password];
    let mut command = world.command(&url, &[&values[..], flags].concat());
    command.env_remove("AVATAR_MIGRATE_DATABASE_URL");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program starts");
    // A program that does not read its input closes the pipe.
    drop(child.stdin.take().expect("stdin").write_all(input.as_bytes()));
    Ended::of(&child.wait_with_output().expect("the program ends"), world.directory.path())
}

#[test]
fn it_runs_all_three_commands() {
    let world = World::new();
    world.avatars(6);
    world.source("image/avatar-orphan.png");
    let password = world.database.mariadb().root_password();
    let ended = one_line(&world, password, "", &["--yes"]).exits(0);
    let keys: Vec<&String> = ended.json.as_object().expect("an object").keys().collect();
    assert_eq!(keys, ["command", "copy", "verify", "finalize"]);
    assert_eq!(ended.json["command"], "migrate");
    for command in ["copy", "verify", "finalize"] {
        assert_eq!(ended.json[command]["command"], command);
    }
    assert_eq!(ended.number("/copy/rows/updated"), 6);
    assert_eq!(ended.number("/verify/objects/verified"), 6);
    assert_eq!(ended.number("/finalize/objects/deleted"), 7);
    assert_eq!(world.s3.keys("legacy-s3"), [""; 0]);
    world.every_row_resolves();
    let advice = ended.stderr.lines().filter(|line| line.contains("password")).count();
    assert_eq!(advice, 1, "one line of advice: {}", ended.stderr);
    assert!(!ended.stderr.contains(password));
    one_line(&world, password, "", &["--yes"]).exits(0);
}

#[test]
fn the_page_of_its_verify_tells_the_whole_run_and_its_place_is_looked_at_first() {
    let world = World::new();
    world.avatars(3);
    let password = world.database.mariadb().root_password();
    let file = |name: &str| world.directory.path().join(name);
    let refused = one_line(&world, password, "", &["--yes", "--html", "no/out.html"]).exits(2);
    assert!(refused.stderr.contains("cannot write the page no/out.html"), "{}", refused.stderr);
    std::fs::write(file("approved.csv"), "as approved").expect("a file");
    for flag in ["--html", "--report"] {
        let refused = one_line(&world, password, "", &[flag, "./approved.csv", "--approved", "approved.csv"]).exits(2);
        let said = format!("{flag} would overwrite the file that --approved names: ./approved.csv");
        assert!(refused.stderr.contains(&said), "{}", refused.stderr);
    }
    assert_eq!(std::fs::read_to_string(file("approved.csv")).expect("a file"), "as approved");
    assert_eq!(world.s3.keys("production-s3"), [""; 0], "something was copied");

    let ended = one_line(&world, password, "", &["--yes", "--html", "out.html"]).exits(0);
    assert_eq!(ended.json["verify"]["html"], "out.html");
    let page = std::fs::read_to_string(file("out.html")).expect("a page");
    for phase in ["plan", "copy", "cutover", "read rows", "list buckets", "compare", "read pictures"] {
        assert!(page.contains(&format!("<th scope=\"row\">{phase}<span")), "{phase} is not in the timeline");
    }
    assert!(!page.contains(password), "the password stands in the page");
}

#[test]
fn a_dash_reads_the_password_from_standard_input() {
    let world = World::new();
    world.avatars(2);
    let password = world.database.mariadb().root_password();
    let ended = one_line(&world, "-", &format!("{password}\n"), &["--yes"]).exits(0);
    assert!(!ended.stderr.contains("password"), "no advice is due: {}", ended.stderr);
    assert_eq!(world.s3.keys("legacy-s3"), [""; 0]);
    let nothing = one_line(&world, "-", "", &["--yes"]).exits(2);
    assert!(nothing.stderr.contains(" hint: "), "{}", nothing.stderr);
    let wrong = one_line(&world, "-", "wrong\n", &["--yes"]).exits(2);
    assert!(wrong.stderr.contains("check the user name and the password"), "{}", wrong.stderr);
}

#[test]
fn without_a_terminal_and_without_yes_nothing_is_deleted() {
    let world = World::new();
    let keys = world.avatars(3);
    let password = world.database.mariadb().root_password();
    let ended = one_line(&world, password, "legacy-s3\n", &[]).exits(4);
    assert_eq!(world.s3.keys("legacy-s3"), keys);
    assert_eq!(ended.number("/copy/rows/updated"), 3);
    assert_eq!(ended.number("/verify/objects/verified"), 3);
    assert_eq!(ended.json["finalize"]["finalizable"], false);
    assert!(ended.json["finalize"]["reasons"][0].as_str().is_some_and(|reason| reason.contains("terminal")));
    assert!(ended.stderr.contains("--yes"), "{}", ended.stderr);
    world.every_row_resolves();
}

#[test]
fn it_stops_at_the_first_command_that_does_not_return_0() {
    let world = World::new();
    world.avatars(3);
    world.rows(&["image/avatar-gone.png"]);
    let password = world.database.mariadb().root_password();
    let ended = one_line(&world, password, "", &["--yes"]).exits(3);
    assert_eq!(ended.number("/copy/objects/missing_source"), 1);
    assert!(ended.json.get("verify").is_none() && ended.json.get("finalize").is_none(), "{}", ended.json);
    assert_eq!(world.s3.keys("legacy-s3").len(), 3);

    // A copy without any problem, and a verify with one.
    world.sql("UPDATE avatars SET path = 'avatar/avatar-gone.png' WHERE path = 'image/avatar-gone.png'");
    let ended = one_line(&world, password, "", &["--yes"]).exits(3);
    assert_eq!(ended.number("/verify/objects/missing_target"), 1);
    assert!(ended.json.get("finalize").is_none(), "{}", ended.json);
    assert_eq!(world.s3.keys("legacy-s3").len(), 3);
}

#[test]
fn a_dry_run_of_it_is_that_of_copy() {
    let world = World::new();
    let keys = world.avatars(3);
    let password = world.database.mariadb().root_password();
    let ended = one_line(&world, password, "", &["--yes", "--dry-run"]).exits(0);
    assert_eq!(ended.number("/copy/rows/planned"), 3);
    assert!(ended.json.get("verify").is_none(), "{}", ended.json);
    assert_eq!(world.s3.keys("legacy-s3"), keys);
    assert_eq!(world.s3.keys("production-s3"), [""; 0]);
}

#[test]
fn a_report_that_cannot_be_written_is_said_before_anything_moves() {
    let world = World::new();
    let keys = world.avatars(3);
    let password = world.database.mariadb().root_password();
    let ended = one_line(&world, password, "", &["--yes", "--report", "no/such/out.csv"]).exits(2);
    assert!(ended.stderr.contains("no/such"), "{}", ended.stderr);
    assert_eq!(world.paths(), keys);
    assert_eq!(world.s3.keys("production-s3"), [""; 0]);
}
