//! The process from outside: no core dump, no look into its environment, no file that others can read.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::process::{Gate, Running, until};
use crate::support::{World, bare_command};

/// An account with no rights, for tests that run as root, whom no protection stops.
const NOBODY: &str = "65534";

/// A command of an account to which the protections of the system apply: `nobody` if this is root.
fn as_plain_user(program: &str, arguments: &[&str]) -> Command {
    let root = std::fs::metadata("/proc/self").expect("/proc").uid() == 0;
    let mut command = Command::new(if root { "setpriv" } else { program });
    if root {
        command.args(["--reuid", NOBODY, "--regid", NOBODY, "--clear-groups", program]);
    }
    command.args(arguments).current_dir("/").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A child that is killed when the test ends.
struct Waiting(Child);

impl Waiting {
    fn start(mut command: Command) -> Self {
        Self(command.stdin(Stdio::piped()).spawn().expect("it starts"))
    }

    fn proc(&self, file: &str) -> String {
        format!("/proc/{}/{file}", self.0.id())
    }

    fn core_limit(&self) -> String {
        let limits = std::fs::read_to_string(self.proc("limits")).expect("limits");
        let line = limits.lines().find(|line| line.starts_with("Max core file size")).expect("a line");
        line.split_whitespace().skip(4).take(2).collect::<Vec<_>>().join(" ")
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// The one-line form waits for its password on standard input.
const WAITING: [&str; 5] = ["legacy-s3", "production-s3", "mysql://127.0.0.1:1/d", "user", "-"];

#[test]
fn a_crash_leaves_no_core_dump() {
    let directory = tempfile::tempdir().expect("a directory");
    let dumping = |program: &str, arguments: &[&str]| {
        let mut command = Command::new("sh");
        command.args(["-c", "ulimit -c unlimited; exec \"$@\"", "sh", program]).args(arguments);
        command.current_dir(directory.path()).stdout(Stdio::null()).stderr(Stdio::null());
        Waiting::start(command)
    };
    let abort = |mut waiting: Waiting| {
        let killed = Command::new("kill").args(["-ABRT", &waiting.0.id().to_string()]).status().expect("kill runs");
        assert!(killed.success());
        waiting.0.wait().expect("it ends")
    };
    let program = dumping(env!("CARGO_BIN_EXE_avatarMigrate"), &WAITING);
    until("core dumps are off", || program.core_limit() == "0 0");
    assert!(!abort(program).core_dumped());
    assert_eq!(std::fs::read_dir(directory.path()).expect("a directory").count(), 0, "a file is left");
    // Where the system writes dumps at all, another program leaves one.
    let other = dumping("sleep", &["600"]);
    until("sleep runs", || std::fs::read_to_string(other.proc("comm")).is_ok_and(|name| name == "sleep\n"));
    assert_eq!(other.core_limit(), "unlimited unlimited");
    let pattern = std::fs::read_to_string("/proc/sys/kernel/core_pattern").expect("a pattern");
    assert_eq!(abort(other).core_dumped(), pattern.trim() == "core" || pattern.starts_with('|'), "{pattern}");
}

#[test]
fn its_own_user_cannot_read_its_environment() {
    let readable = |waiting: &Waiting| {
        let path = waiting.proc("environ");
        let output = as_plain_user("cat", &[&path]).output().expect("cat runs");
        String::from_utf8_lossy(&output.stdout).contains("planted-canary")
    };
    let start = |program: &str, arguments: &[&str]| {
        let mut command = as_plain_user(program, arguments);
        command.env("AVATAR_MIGRATE_DATABASE_PASSWORD", "planted-canary");
        Waiting::start(command)
    };
    let program = start(env!("CARGO_BIN_EXE_avatarMigrate"), &WAITING);
    let is = |waiting: &Waiting, name: &str| {
        std::fs::read_to_string(waiting.proc("comm")).is_ok_and(|comm| comm.trim() == name)
    };
    until("the program has closed itself", || is(&program, "avatarMigrate") && !readable(&program));
    let other = start("sleep", &["600"]);
    until("sleep runs", || is(&other, "sleep"));
    assert!(readable(&other), "the test could not read any environment");
}

#[test]
fn freed_memory_is_given_back_soon() {
    // The allocator tells how it was built: without .cargo/config.toml it keeps what was freed for ten seconds.
    let mut command = bare_command(Path::new("/"));
    let output = command.arg("--version").env("_RJEM_MALLOC_CONF", "confirm_conf:true").output().expect("it runs");
    let told = String::from_utf8_lossy(&output.stderr);
    let built_with = told.lines().find(|line| line.contains("--with-malloc-conf")).unwrap_or_default();
    assert!(built_with.contains("narenas:1,dirty_decay_ms:10,muzzy_decay_ms:0"), "{told}");
}

#[test]
fn every_file_is_its_owners_only() {
    let world = World::new();
    world.avatars(3);
    let program = |arguments: &[&str]| {
        let command = world.command(&world.database.url(), arguments);
        let mut open = Command::new("sh");
        open.args(["-c", "umask 0; exec \"$@\"", "sh"]).arg(command.get_program()).args(command.get_args());
        open.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?)))).current_dir(&world.directory);
        open
    };
    for arguments in [&["copy"][..], &["verify", "--report", "out.csv"]] {
        Running::start(program(arguments)).ended().exits(0);
    }
    let gate = Gate::nth(&world.s3, "DeleteObjects", 1);
    let finalize = Running::start(program(&["finalize", "--yes", "--report", "final.csv"]));
    gate.wait();
    // What is sorted has no name by now, but could be opened through /proc.
    for file in files(Path::new(&format!("/proc/{}/fd", finalize.pid()))) {
        let Ok(metadata) = std::fs::metadata(&file) else { continue };
        let name = std::fs::read_link(&file).unwrap_or_default();
        if metadata.is_file() && !name.starts_with("/proc") && !name.starts_with("/sys") {
            assert_eq!(metadata.permissions().mode() & 0o077, 0, "{}", name.display());
        }
    }
    gate.open();
    finalize.ended().exits(0);
    let written = files(world.directory.path());
    assert!(written.len() >= 3, "{written:?}");
    for file in written {
        let mode = std::fs::metadata(&file).expect("a file").permissions().mode();
        assert_eq!(mode & 0o077, 0, "{} has the mode {mode:o}", file.display());
    }
}

fn files(directory: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(directory).expect("a directory");
    entries.map(|entry| entry.expect("an entry").path()).collect()
}

#[test]
fn a_password_file_that_others_can_read_is_warned_of() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("password\u{1b}");
    std::fs::write(&file, "planted-canary").expect("a file");
    for (mode, warned) in [(0o600, false), (0o400, false), (0o640, true), (0o604, true)] {
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).expect("a mode");
        let mut command = bare_command(directory.path());
        command.args(["verify", "--database-url", "mysql://u@127.0.0.1:1/d", "--database-password-file"]).arg(&file);
        let output = command.output().expect("it starts");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(said.contains("chmod 600"), warned, "{mode:o}: {said}");
        assert!(!said.contains('\u{1b}') && !said.contains("planted-canary"), "{said}");
    }
}
