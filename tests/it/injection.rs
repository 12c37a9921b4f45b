//! Names, paths and messages that want to be more than text: SQL, terminal commands, lines of a log, JSON, formulas.

use std::io::{Read, Write};
use std::net::TcpListener;

use serde_json::Value;

use crate::support::{Ended, World, literal};
use crate::wire::Rogue;

/// A title for the terminal, its screen cleared, C1's CSI, text turned round, lines that look like this program's.
const EVIL: [&str; 6] = [
    "avatar-\u{1b}]0;owned\u{7}\u{1b}[2J.png",
    "avatar-\u{9b}31m\u{85}\u{7f}.png",
    "avatar-\u{202e}gnp.exe\u{2066}\u{200b}",
    "avatar-\nerror: forged line\n hint: forged hint\r.png",
    "avatar-\",\"forged\":\"yes\"}\n{\"forged\":true}",
    "avatar-'; DROP TABLE victims; -- `\".png",
];

fn deceives(character: char) -> bool {
    (character.is_control() && character != '\n')
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
}

/// Demands that nothing in the output steers a terminal or passes for a line of this program.
#[track_caller]
fn is_tame(ended: &Ended) {
    for (name, text) in [("standard output", &ended.stdout), ("standard error", &ended.stderr)] {
        let evil: Vec<char> = text.chars().filter(|character| deceives(*character)).collect();
        assert!(evil.is_empty(), "{evil:?} in {name}: {text:?}");
        for line in text.lines() {
            let forged = ["error: forged", " hint: forged", "{\"forged\""].iter().any(|start| line.starts_with(start));
            assert!(!forged, "{line}");
        }
    }
}

/// Runs a command in every form of output; the last one's end is given.
#[track_caller]
fn tame_in_every_form(world: &World, url: &str, arguments: &[&str], code: i32) -> Ended {
    for more in [&["--format", "human"][..], &["--format", "human", "-vv"], &["-q"]] {
        is_tame(&world.run_as(url, &[arguments, more].concat()).exits(code));
    }
    let ended = world.run_as(url, &[arguments, &["-vv", "--log-format", "json", "--format", "json"]].concat());
    is_tame(&ended);
    // Errors of the settings come before it is known how logs are to look.
    for line in ended.stderr.lines().filter(|line| code != 2 || line.starts_with('{')) {
        let event: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert!(event.get("forged").is_none() && event["level"].is_string(), "{line}");
    }
    ended.exits(code)
}

#[test]
fn paths_stay_text_in_every_output() {
    let world = World::new();
    world.sql("CREATE TABLE notes (id INT AUTO_INCREMENT PRIMARY KEY, text TEXT)");
    world.sql("CREATE TABLE victims (id INT)");
    for evil in EVIL {
        // Without an object, with capital letters, within a longer text.
        world.rows(&[&format!("image/{evil}"), &format!("IMAGE/{evil}")]);
        world.insert("notes", "text", &[&format!("see image/{evil} there")]);
    }
    let url = world.database.url();
    is_tame(&world.run(&["copy", "--dry-run", "-vv", "--format", "human"]).exits(0));
    let copied = tame_in_every_form(&world, &url, &["copy"], 3);
    assert_eq!(copied.number("/objects/missing_source"), EVIL.len() as u64);
    let verified = tame_in_every_form(&world, &url, &["verify", "--report", "out.csv"], 3);
    assert_eq!(verified.number("/rows/suspect"), EVIL.len() as u64);
    let lines = world.report("out.csv");
    for evil in EVIL {
        let path = format!("image/{evil}");
        assert!(lines.iter().any(|line| line["legacy_path"] == path), "{evil:?} is not in the report as it is");
    }
    tame_in_every_form(&world, &url, &["finalize", "--yes", "--report", "final.csv"], 4);
    assert_eq!(world.column("SELECT COUNT(*) AS v FROM victims"), ["0"]);
}

#[test]
fn names_of_schema_table_and_column_stay_names() {
    let world = World::bare();
    // MariaDB stores identifiers as UTF-8 of three bytes at most, up to 64 characters, and folders as escaped text.
    let schema = format!("s`; DROP DATABASE x; --\u{1b}[2J'\"\\{{text}}\u{202e}{}", std::process::id());
    let (table, column, key) = ("t`\n; --\u{9b}'\"\\{key}", "c`,\u{1b}]0;x\u{7}(#/*é", "k\n'\"`");
    let quoted = |name: &str| format!("`{}`", name.replace('`', "``"));
    let place = format!("{}.{}", quoted(&schema), quoted(table));
    let execute =
        |sql: &str| world.database.mariadb().execute(sql).unwrap_or_else(|error| panic!("{sql:?}: {error:#}"));
    execute(&format!("CREATE DATABASE {}", quoted(&schema)));
    execute(&format!(
        "CREATE TABLE {place} ({} VARCHAR(60) PRIMARY KEY, {} VARCHAR(700)) CHARACTER SET utf8mb4",
        quoted(key),
        quoted(column)
    ));
    let rests: Vec<String> = ["1.png", "'; DROP TABLE x; -- `.png"].map(|rest| format!("avatar-{rest}")).into();
    for (number, rest) in rests.iter().enumerate() {
        world.source(&format!("image/{rest}"));
        execute(&format!(
            "INSERT INTO {place} VALUES ({}, {})",
            literal(EVIL[number]),
            literal(&format!("image/{rest}"))
        ));
    }
    let url = world.database.mariadb().root_url(&schema);
    let paths = || world.column(&format!("SELECT {} AS v FROM {place}", quoted(column)));
    let modern: Vec<String> = rests.iter().map(|rest| format!("avatar/{rest}")).collect();
    let sorted = |mut paths: Vec<String>| {
        paths.sort();
        paths
    };
    is_tame(&world.run_as(&url, &["copy", "--dry-run", "--format", "human", "-vv"]).exits(0));
    tame_in_every_form(&world, &url, &["copy"], 0);
    assert_eq!(sorted(paths()), sorted(modern.clone()));
    tame_in_every_form(&world, &url, &["rollback", "--yes"], 0);
    assert!(paths().iter().all(|path| path.starts_with("image/")), "{:?}", paths());
    // Named as a reference, by name with its back-ticks.
    let reference = format!("{}.{}", quoted(table), quoted(column));
    is_tame(&world.run_as(&url, &["copy", "--reference", &reference]).exits(0));
    assert_eq!(sorted(paths()), sorted(modern));
    tame_in_every_form(&world, &url, &["verify", "--report", "out.csv"], 0);
    let lines = world.report("out.csv");
    assert!(lines.iter().all(|line| line["table"] == table && line["column"] == column), "{lines:?}");
    tame_in_every_form(&world, &url, &["finalize", "--yes"], 0);
    assert!(world.s3.keys("legacy-s3").is_empty());
    let missing = world.run_as(&url, &["copy", "--reference", "`a\u{1b}[2J\nerror: forged`.b"]).exits(2);
    is_tame(&missing);
    execute(&format!("DROP DATABASE {}", quoted(&schema)));
}

#[test]
fn settings_stay_text_in_their_errors() {
    let world = World::new();
    let evil = EVIL.concat();
    for arguments in [
        &[evil.as_str()][..],
        &["copy", &evil],
        &["copy", "--method", &evil],
        &["copy", &format!("--{evil}")],
        &["copy", "--source-bucket", &evil],
        &["copy", "--source-bucket", "nowhere", "--source-endpoint-url", &evil],
        &["copy", "--name-pattern", &evil, "--legacy-prefix", &evil],
        &["verify", "--report", &format!("/nowhere/{evil}")],
        &["verify", "--temp-dir", &evil],
        &["finalize", "--approved", &evil],
        &["--config", &evil, "copy"],
    ] {
        let ended = world.run(arguments);
        assert!([1, 2].contains(&ended.code), "{arguments:?} ended with {}", ended.code);
        is_tame(&ended);
    }
    let file = world.directory.path().join("evil.toml");
    for text in [format!("method = {evil:?}"), format!("{evil:?} = 1"), format!("a = '{evil}")] {
        std::fs::write(&file, text).expect("a file");
        is_tame(&world.run(&["copy", "--config", "evil.toml"]).exits(2));
    }
}

/// A server that answers every request with this status and this body.
fn answering(status: u16, body: String) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let address = listener.local_addr().expect("an address");
    // Ends with the test's process.
    std::thread::spawn(move || {
        for mut client in listener.incoming().map_while(Result::ok) {
            let mut request = [0; 8192];
            drop(client.read(&mut request));
            let head = format!(
                "HTTP/1.1 {status} x\r\nContent-Type: application/xml\r\nContent-Length: {}\r\nConnection: close\r\n\
                 x-amz-request-id: \u{9b}2J\r\nx-amz-bucket-region: \u{202e}x\r\n\r\n",
                body.len()
            );
            drop(client.write_all(format!("{head}{body}").as_bytes()));
        }
    });
    format!("http://{address}")
}

#[test]
fn messages_of_servers_stay_text() {
    let world = World::new();
    world.avatars(1);
    // What XML 1.0 cannot hold stands there all the same, as a hostile server would send it.
    let text = "x\u{1b}[2J\u{9b}2J\u{202e}\nerror: forged &#27;[2J&#10;error: forged &#x202e;";
    for (status, code) in
        [(403, "AccessDenied"), (404, "NoSuchBucket"), (400, text), (301, "x"), (403, "InvalidAccessKeyId")]
    {
        let body = format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>{text}</Message></Error>");
        let endpoint = answering(status, body);
        let flags = ["--source-endpoint-url", &endpoint, "--target-endpoint-url", &endpoint];
        tame_in_every_form(&world, &world.database.url(), &[&["copy"][..], &flags].concat(), 2);
    }
    let denied = Rogue::saying("x\u{1b}[2J\u{9b}2J\u{202e}\nerror: forged");
    tame_in_every_form(&world, &format!("mysql://u:p@127.0.0.1:{}/d", denied.port()), &["verify"], 2);
    // The database's own words inside the cutover.
    let signal = format!(
        "CREATE TRIGGER refuses BEFORE UPDATE ON avatars FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = {}",
        "'x\u{1b}[2J\u{9b}2J\u{202e}\nerror: forged'"
    );
    world.sql(&signal);
    tame_in_every_form(&world, &world.database.url(), &["copy"], 3);
}
