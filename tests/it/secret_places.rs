//! Planted secrets are looked for in every place that a run leaves or shows while it goes on: files, the ledger,
//! MariaDB's list of statements, the arguments and environments of the program and its children.

use std::collections::BTreeSet;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::process::{Gate, Running};
use crate::secrets::{Canaries, with_user};
use crate::support::{Ended, World};

const TOKEN: &str = "planted/session+token==planted-tail";

/// A world with all that commands meet, and a user whose password is a canary.
struct Planted {
    world: World,
    url: String,
    user: String,
    password: String,
    canaries: Canaries,
    /// For files that hold a secret on purpose.
    beside: tempfile::TempDir,
}

impl Planted {
    fn new() -> Self {
        let world = World::new();
        world.avatars(3);
        let (url, password) = with_user(&world);
        let canaries = Canaries::of(&world, &password).and(TOKEN);
        let (login, place) = url.rsplit_once('@').expect("a login");
        let user = login.trim_start_matches("mysql://").split(':').next().expect("a user").to_owned();
        let url = format!("mysql://{place}");
        Self { world, url, user, password, canaries, beside: tempfile::tempdir().expect("a directory") }
    }

    /// The program with the password in a file beside.
    fn command(&self, arguments: &[&str]) -> Command {
        let file = self.beside.path().join("password");
        std::fs::write(&file, format!("{}\n", self.password)).expect("a file");
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).expect("a mode");
        let mut command = self.bare(arguments);
        command.env("AVATAR_MIGRATE_DATABASE_PASSWORD_FILE", file);
        command
    }

    /// The program without the password.
    fn bare(&self, arguments: &[&str]) -> Command {
        let mut command = self.world.command(&self.url, arguments);
        command.env("AVATAR_MIGRATE_DATABASE_USER", &self.user);
        command
    }

    #[track_caller]
    fn ends(&self, command: &mut Command, code: i32) -> Ended {
        let ended = Ended::of(&command.output().expect("it starts"), self.world.directory.path());
        self.canaries.not_in_output(&ended);
        self.nothing_is_left();
        ended.exits(code)
    }

    /// Demands that neither a file nor the ledger nor a name of either holds a secret.
    #[track_caller]
    fn nothing_is_left(&self) {
        for file in walk(self.world.directory.path()) {
            let place = file.display().to_string();
            self.canaries.not_in("the name of a file", &place);
            self.canaries.not_in(&place, &String::from_utf8_lossy(&std::fs::read(&file).expect("a file")));
        }
        let ledger = self.world.ledger();
        let columns = self.world.column(&format!(
            "SELECT CONCAT(table_name, '.', column_name) AS v FROM information_schema.columns WHERE table_schema = '{ledger}'"
        ));
        for column in columns {
            let (table, name) = column.split_once('.').expect("a column");
            let values = self.world.column(&format!("SELECT `{name}` AS v FROM `{ledger}`.`{table}`"));
            self.canaries.not_in(&column, &values.join("\n"));
        }
    }

    /// Demands the same of what can be seen while it runs.
    #[track_caller]
    fn nothing_is_seen(&self, running: &Running) {
        let family = family(running.pid());
        for pid in &family {
            for file in ["cmdline", "environ"] {
                let text = std::fs::read(format!("/proc/{pid}/{file}")).expect("one's own processes");
                let text = String::from_utf8_lossy(&text).replace(self.world.s3.secret_key(), "").replace(TOKEN, "");
                self.canaries.not_in(&format!("{file} of {pid}"), &text);
            }
        }
        let statements =
            self.world.column("SELECT CONCAT_WS(' ', user, state, info) AS v FROM information_schema.processlist");
        self.canaries.not_in("the list of statements", &statements.join("\n"));
    }
}

/// A process and all that descend from it.
fn family(pid: u32) -> BTreeSet<u32> {
    let mut family = BTreeSet::from([pid]);
    let parent_of = |pid: u32| -> Option<u32> {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        status.lines().find_map(|line| line.strip_prefix("PPid:")?.trim().parse().ok())
    };
    let all = std::fs::read_dir("/proc").expect("/proc").map_while(Result::ok);
    let all: Vec<u32> = all.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    loop {
        let before = family.len();
        family.extend(
            all.iter()
                .filter(|pid| parent_of(**pid).is_some_and(|parent| family.contains(&parent)))
                .collect::<Vec<_>>(),
        );
        if family.len() == before {
            return family;
        }
    }
}

fn walk(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).expect("a directory").map(|entry| entry.expect("an entry").path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}

#[test]
fn however_the_password_is_given() {
    let planted = Planted::new();
    let Planted { url, user, password, .. } = &planted;
    let with_password = url.replacen("//", &format!("//{user}:{}@", urlencoded(password)), 1);
    let loud = ["verify", "-vv", "--log-format", "json"];
    planted.ends(planted.world.command(&with_password, &loud).env("AWS_SESSION_TOKEN", TOKEN), 3);
    planted.ends(&mut planted.bare(&[&loud[..], &["--database-url", &with_password]].concat()), 3);
    planted.ends(planted.bare(&loud).env("AVATAR_MIGRATE_DATABASE_PASSWORD", password), 3);
    planted.ends(&mut planted.command(&loud), 3);
    let mut one_line = vec!["legacy-s3", "production-s3", url, user, password, "-vv", "--limit", "1", "--yes"];
    let advised = planted.ends(
        planted.bare(&one_line).env_remove("AVATAR_MIGRATE_DATABASE_URL").env_remove("AVATAR_MIGRATE_DATABASE_USER"),
        3,
    );
    assert!(advised.stderr.contains("the password stands in the arguments"), "{}", advised.stderr);
    one_line[4] = "-";
    let mut asked = planted.bare(&one_line);
    asked.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = asked.spawn().expect("it starts");
    writeln!(child.stdin.take().expect("stdin"), "{password}").expect("written");
    let ended = Ended::of(&child.wait_with_output().expect("it ends"), planted.world.directory.path()).exits(3);
    planted.canaries.not_in_output(&ended);
    planted.nothing_is_left();
}

fn urlencoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}

/// Commands, and the how-manieth request at which each is looked at and then killed.
const STOPS: [(&[&str], &str, u64); 5] = [
    (&["copy", "-vv"], "CopyObject", 1),
    (&["copy", "--method", "stream", "-vv"], "PutObject", 1),
    (&["verify", "-vv"], "ListObjectsV2", 3),
    (&["rollback", "--yes", "-vv"], "ListObjectsV2", 3),
    (&["finalize", "--yes", "-vv"], "DeleteObjects", 1),
];

#[test]
fn while_it_runs_and_after_it_was_killed() {
    let planted = Planted::new();
    for (arguments, operation, nth) in STOPS {
        if ["rollback", "finalize"].contains(&arguments[0]) {
            // They need a world that is done.
            planted.ends(&mut planted.command(&["copy"]), 0);
        }
        let gate = Gate::nth(&planted.world.s3, operation, nth);
        let mut running = Running::start(planted.command(arguments));
        assert!(gate.wait_or_end(&mut running), "{arguments:?} never did {operation}");
        planted.nothing_is_seen(&running);
        planted.nothing_is_left();
        let ended = running.killed();
        planted.canaries.not_in_output(&ended);
        gate.open();
        planted.nothing_is_left();
    }
}

#[test]
fn a_child_gets_neither_password_nor_settings() {
    let planted = Planted::new();
    let seen = planted.beside.path().join("seen");
    let bin = planted.beside.path().join("bin");
    std::fs::create_dir(&bin).expect("a directory");
    let aws = bin.join("aws");
    let script = format!(
        "#!/bin/sh\n{{ printf '%s\\n' \"$@\"; env; tr '\\0' '\\n' </proc/self/environ; }} >>'{}'\n[ \"$1\" != --version ] || echo aws-cli/2.0.0\n",
        seen.display()
    );
    std::fs::write(&aws, script).expect("a script");
    std::fs::set_permissions(&aws, std::fs::Permissions::from_mode(0o755)).expect("a mode");
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").expect("PATH"));
    let Planted { url, user, password, .. } = &planted;
    let with_password = url.replacen("//", &format!("//{user}:{}@", urlencoded(password)), 1);
    let arguments = ["copy", "--method", "sync", "-vv"];
    let mut by_variable = planted.bare(&arguments);
    by_variable.env("AVATAR_MIGRATE_DATABASE_PASSWORD", password);
    for mut command in [by_variable, planted.world.command(&with_password, &arguments), planted.command(&arguments)] {
        std::fs::write(&seen, "").expect("a file");
        planted.ends(command.env("PATH", &path).env("AWS_SESSION_TOKEN", TOKEN), 0);
        planted.world.sql("UPDATE avatars SET path = REPLACE(path, 'avatar/avatar', 'image/avatar')");
        let given = std::fs::read_to_string(&seen).expect("the child ran");
        for own in [planted.world.s3.secret_key(), TOKEN] {
            assert!(given.contains(own), "the AWS chain has to reach the child through its environment");
        }
        let rest = given.replace(planted.world.s3.secret_key(), "").replace(TOKEN, "");
        planted.canaries.not_in("a child", &rest);
        assert!(!given.contains("AVATAR_MIGRATE_"), "{given}");
    }
}

#[test]
fn when_the_other_side_fails() {
    let planted = Planted::new();
    let elsewhere = ["--source-endpoint-url", "https://127.0.0.1:1", "--target-endpoint-url", "https://127.0.0.1:1"];
    let cases: [(&[&str], i32); 6] = [
        (&["--database-tls", "required"], 2),
        (&["--database-tls", "verify"], 2),
        (&["--database-ca", "none.pem"], 2),
        (&["--source-bucket", "nowhere"], 2),
        (&elsewhere, 2),
        (&["--source-profile", "nobody", "--target-profile", "nobody"], 2),
    ];
    for (flags, code) in cases {
        for loud in [&["-vv"][..], &["-vv", "--log-format", "json", "--format", "human"]] {
            let mut command = planted.command(&[&["copy"], flags, loud].concat());
            planted.ends(command.env("AWS_SESSION_TOKEN", TOKEN), code);
        }
    }
    // A server that breaks the protocol brings the library below to a panic.
    let rogue = crate::wire::Rogue::breaking_off();
    let mut command = planted.command(&["copy", "-vv"]);
    command
        .env("AVATAR_MIGRATE_DATABASE_URL", format!("mysql://127.0.0.1:{}/d", rogue.port()))
        .env("RUST_BACKTRACE", "full");
    let ended = Ended::of(&command.output().expect("it starts"), planted.world.directory.path());
    planted.canaries.not_in_output(&ended);
    assert!(![0, 3, 4, 5].contains(&ended.code), "{} {}", ended.code, ended.stderr);
}
