//! `--method sync`: the AWS CLI copies, and the same checks follow. A stand-in for it tells the test what it was asked to
//! do, and the test does it.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;

use crate::process::{Running, until};
use crate::support::{World, content};

/// A directory with an `aws` that sends its arguments and its command line to `port`, and waits for an answer.
fn stand_in(world: &World, port: u16) -> String {
    let bin = world.directory.path().join("bin");
    std::fs::create_dir(&bin).expect("a directory");
    let script = format!(
        "#!/bin/bash\nexec 3<>/dev/tcp/127.0.0.1/{port}\nprintf '%s\\n' \"$@\" END >&3\nread -r -u 3 code\nexit \"$code\"\n"
    );
    let aws = bin.join("aws");
    std::fs::write(&aws, script).expect("a script");
    std::fs::set_permissions(&aws, std::fs::Permissions::from_mode(0o755)).expect("a mode");
    format!("{}:{}", bin.display(), std::env::var("PATH").expect("PATH"))
}

/// Runs `copy --method sync`; `act` stands for what the CLI does, and gives its exit code.
fn sync(world: &World, act: impl Fn(&[String]) -> u8) -> crate::support::Ended {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.set_nonblocking(true).expect("a listener");
    let path = stand_in(world, listener.local_addr().expect("an address").port());
    let mut command = world.command(&world.database.url(), &["copy", "--method", "sync"]);
    command.env("PATH", path);
    let mut running = Running::start(command);
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
    let mut command = world.command(&world.database.url(), &["copy", "--method", "sync"]);
    command.env("PATH", world.directory.path());
    let output = command.output().expect("the program starts");
    let ended = crate::support::Ended::of(&output, world.directory.path()).exits(2);
    assert!(ended.stderr.contains("install the AWS CLI"), "{}", ended.stderr);
}
