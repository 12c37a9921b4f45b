//! `--method sync`: the AWS CLI copies, and the same checks follow. A stand-in for it tells the test what it was asked to
//! do, and the test does it.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::process::{Gate, Running, until};
use crate::s3::Server;
use crate::support::{AVATARS, Ended, World, content};
use avatar_migrate_kit::Fault;

/// A directory with an `aws` that sends its arguments and its command line to `port`, and waits for an answer.
fn stand_in(world: &World, port: u16) -> String {
    let call =
        format!("exec 3<>/dev/tcp/127.0.0.1/{port}\nprintf '%s\\n' \"$@\" END >&3\nread -r -u 3 code\nexit \"$code\"");
    script(world, &format!("[ \"$1\" != --version ] || exec echo aws-cli/2.0.0\n{call}"))
}

/// A path whose first `aws` is a script.
fn script(world: &World, lines: &str) -> String {
    let bin = world.directory.path().join("bin");
    std::fs::create_dir(&bin).expect("a directory");
    let aws = bin.join("aws");
    std::fs::write(&aws, format!("#!/bin/bash\n{lines}\n")).expect("a script");
    std::fs::set_permissions(&aws, std::fs::Permissions::from_mode(0o755)).expect("a mode");
    format!("{}:{}", bin.display(), std::env::var("PATH").expect("PATH"))
}

/// Runs `copy --method sync`; `act` stands for what the CLI does, and gives its exit code.
fn sync(world: &World, act: impl Fn(&[String]) -> u8) -> Ended {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.set_nonblocking(true).expect("a listener");
    let path = stand_in(world, listener.local_addr().expect("an address").port());
    let mut running = Running::start(sync_with(world, &path));
    let mut called: Option<TcpStream> = None;
    until("the CLI is called or the program ends", || {
        called = listener.accept().ok().map(|(stream, _)| stream);
        called.is_some() || running.has_ended()
    });
    if let Some(mut stream) = called {
        stream.set_nonblocking(false).expect("a stream");
        let lines = BufReader::new(stream.try_clone().expect("a stream")).lines().map_while(Result::ok);
        let arguments: Vec<String> = lines.take_while(|line| line != "END").collect();
        writeln!(stream, "{}", act(&arguments)).expect("an answer");
    }
    running.ended()
}

#[test]
fn what_the_cli_copied_is_checked_and_then_the_rows_move() {
    let world = World::new();
    let keys = world.avatars(3);
    let ended = sync(&world, |arguments| {
        assert_eq!(arguments.get(..2), Some(&["s3".to_owned(), "sync".to_owned()][..]));
        assert!(arguments.contains(&"s3://legacy-s3/image/".to_owned()), "{arguments:?}");
        assert!(arguments.contains(&"s3://production-s3/avatar/".to_owned()), "{arguments:?}");
        let all = arguments.join(" ");
        assert!(all.contains("--exclude * --include avatar-*"), "{all}");
        for secret in [world.s3.secret_key(), world.s3.access_key(), world.database.mariadb().root_password()] {
            assert!(!all.contains(secret), "a secret stands in the arguments of a child");
        }
        // One object is left out and one is damaged: neither is taken on trust.
        world.target("avatar/avatar-0.png", &keys[0]);
        world.target("avatar/avatar-1.png", "damaged");
        0
    })
    .exits(3);
    assert_eq!(ended.number("/objects/conflict"), 1);
    assert_eq!(ended.number("/objects/already_there"), 1);
    assert_eq!(ended.number("/objects/copied"), 1, "what the CLI left out is copied");
    assert_eq!(world.paths(), ["avatar/avatar-0.png", "avatar/avatar-2.png", "image/avatar-1.png"]);
    assert_eq!(world.body("production-s3", "avatar/avatar-2.png"), Some(content(&keys[2])));
}

#[test]
fn a_cli_that_fails_changes_no_row() {
    let world = World::new();
    let keys = world.avatars(3);
    let ended = sync(&world, |_| 1).exits(1);
    assert!(ended.stderr.contains("aws s3 sync"), "{}", ended.stderr);
    assert_eq!(world.paths(), keys);
}

#[test]
fn it_is_refused_where_the_cli_would_overwrite() {
    let world = World::new();
    world.avatars(3);
    world.target("avatar/avatar-1.png", "the application's own");
    let ended = sync(&world, |_| panic!("the CLI was started")).exits(4);
    assert!(ended.stderr.contains("avatar/avatar-1.png") && ended.stderr.contains("--method copy"), "{}", ended.stderr);
    assert_eq!(ended.json["exit_code"], 4);
    assert_eq!(world.body("production-s3", "avatar/avatar-1.png"), Some(content("the application's own")));
    assert_eq!(world.paths().iter().filter(|path| path.starts_with("image/")).count(), 3);
}

#[test]
fn without_the_cli_it_says_what_to_install() {
    let world = World::new();
    world.avatars(1);
    let nowhere = world.directory.path().display().to_string();
    let ended = Running::start(sync_with(&world, &nowhere)).ended().exits(2);
    assert!(ended.stderr.contains("install the AWS CLI"), "{}", ended.stderr);
}

#[test]
fn another_program_of_that_name_is_not_taken_for_it() {
    let world = World::new();
    world.avatars(1);
    let path = script(&world, "echo 'American Wire Size 3.1'");
    let ended = Running::start(sync_with(&world, &path)).ended().exits(2);
    assert!(ended.stderr.contains("American Wire Size 3.1"), "{}", ended.stderr);
    assert!(ended.stderr.contains("install the AWS CLI"), "{}", ended.stderr);
}

/// The program with the real CLI on its path.
fn with_the_real_cli<S: Server>(world: &World<S>) -> Command {
    let aws = avatar_migrate_kit::aws_cli().unwrap_or_else(|error| panic!("{error:#}"));
    let (bin, path) = (aws.parent().expect("a directory"), std::env::var("PATH").expect("PATH"));
    sync_with(world, &format!("{}:{path}", bin.display()))
}

fn sync_with<S: Server>(world: &World<S>, path: &str) -> Command {
    let mut command = world.command(&world.database.url(), &["copy", "--method", "sync"]);
    command.env("PATH", path);
    command
}

fn real_sync<S: Server>(world: &World<S>) -> Ended {
    Running::start(with_the_real_cli(world)).ended()
}

/// Plain names, folders and names that a command line or a URL may trip over; others stay where they are.
fn copied_by_the_real_cli<S: Server>(world: &World<S>) {
    world.sql(AVATARS);
    let odd = ["avatar-ü +%41&=.png", "2024/avatar-'q' $(x).png", "avatar-*.png"].map(|name| format!("image/{name}"));
    let keys: Vec<String> = (0..12).map(|n| format!("image/avatar-{n}.png")).chain(odd).collect();
    for key in keys.iter().map(String::as_str).chain(["image/logo.png", "elsewhere/avatar-1.png"]) {
        world.source(key);
    }
    world.rows(&keys.iter().map(String::as_str).collect::<Vec<_>>());
    let ended = real_sync(world).exits(0);
    assert!(ended.stderr.contains("aws: aws-cli/"), "{}", ended.stderr);
    assert!(ended.stderr.contains("aws s3 sync: 15 objects"), "its progress is passed on: {}", ended.stderr);
    assert_eq!(ended.number("/objects/already_there"), 15, "the CLI has copied all of them");
    assert_eq!(ended.number("/rows/updated"), 15);
    let (source, target) = world.s3.buckets();
    let mut expected: Vec<String> = keys.iter().map(|key| key.replacen("image/", "avatar/", 1)).collect();
    expected.sort();
    assert_eq!(world.s3.keys(target), expected, "and nothing else");
    for key in &keys {
        let twin = world.s3.seen(target, &key.replacen("image/", "avatar/", 1));
        assert_eq!(twin, world.s3.seen(source, key), "with everything it has: {key}");
    }
    assert_eq!(real_sync(world).exits(0).number("/rows/updated"), 0);
}

#[test]
fn the_real_cli_copies_and_all_is_checked() {
    copied_by_the_real_cli(&World::bare());
}

#[test]
fn the_real_cli_copies_on_seaweedfs() {
    copied_by_the_real_cli(&World::bare_on_seaweed());
}

#[test]
fn what_the_real_cli_says_of_a_failure_is_passed_on() {
    let world = World::new();
    let keys = world.avatars(4);
    world.s3.on_request(|request| match request.key.as_deref() {
        Some("avatar/avatar-2.png") if request.operation == "CopyObject" => {
            Fault::Status(403, "AccessDenied".to_owned())
        }
        Some(_) | None => Fault::None,
    });
    let ended = real_sync(&world).exits(1);
    let complaint = ended.stderr.lines().find(|line| line.contains("aws: copy failed"));
    assert!(complaint.is_some_and(|line| line.contains("AccessDenied")), "{}", ended.stderr);
    assert!(ended.stderr.contains("no row has changed"), "{}", ended.stderr);
    assert_eq!(world.paths(), keys);
}

#[test]
fn a_signal_ends_the_real_cli_as_well() {
    let world = World::new();
    let keys = world.avatars(40);
    let gate = Gate::nth(&world.s3, "CopyObject", 3);
    let mut running = Running::start(with_the_real_cli(&world));
    gate.wait();
    running.signal("TERM");
    until("it says that it was interrupted", || running.has_said("interrupted: finishing"));
    gate.open();
    running.ended().exits(130);
    assert_eq!(world.paths().iter().filter(|path| keys.contains(path)).count(), 40, "no row has moved");
    let copied = world.s3.keys("production-s3").len() as u64;
    let again = real_sync(&world).exits(0);
    assert_eq!(again.number("/rows/updated"), 40);
    assert!(again.stderr.contains(&format!("aws s3 sync: {} objects", 40 - copied)), "{copied}: {}", again.stderr);
}
