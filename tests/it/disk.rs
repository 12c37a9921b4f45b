//! A disk that takes no more, and a reader of the output that has gone.

use std::process::{Command, Stdio};

use crate::support::{Ended, World};

/// Blocks of 512 bytes that fit into a file.
const ROOM: &str = "8";

/// Runs the program with files that cannot grow beyond [`ROOM`]: a write behind it fails, as on a full disk.
fn cramped(world: &World, arguments: &[&str]) -> Ended {
    // The signal would kill the program; ignored, it leaves the write an error.
    in_shell(world, &format!("trap '' XFSZ; ulimit -f {ROOM}; exec \"$@\""), arguments)
}

/// Runs a shell script in which `"$@"` is the program with these arguments.
fn in_shell(world: &World, script: &str, arguments: &[&str]) -> Ended {
    let program = world.command(&world.database.url(), arguments);
    let mut shell = Command::new("sh");
    shell.env_clear().envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
    shell.args(["-c", script, "sh"]).arg(program.get_program()).args(program.get_args());
    shell.current_dir(world.directory.path()).stdin(Stdio::null());
    Ended::of(&shell.output().expect("a shell"), world.directory.path())
}

fn files(world: &World) -> Vec<String> {
    let entries = std::fs::read_dir(world.directory.path()).expect("the directory");
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// A world of rows whose report has more than [`ROOM`].
fn moved() -> World {
    let world = World::new();
    world.avatars(60);
    world.run(&["copy"]).exits(0);
    world
}

#[test]
fn a_report_that_does_not_fit_leaves_the_old_one() {
    let world = moved();
    std::fs::write(world.directory.path().join("out.csv"), "the old one").expect("a file");
    let ended = cramped(&world, &["verify", "--report", "out.csv"]).exits(1);
    assert!(ended.stderr.contains("out.csv") && ended.stderr.contains("File too large"), "{}", ended.stderr);
    assert_eq!(std::fs::read_to_string(world.directory.path().join("out.csv")).expect("a file"), "the old one");
    assert_eq!(files(&world), ["out.csv"], "nothing half is left");
}

#[test]
fn a_final_report_that_does_not_fit_deletes_nothing() {
    let world = moved();
    let ended = cramped(&world, &["finalize", "--yes", "--report", "final.csv"]).exits(1);
    assert!(ended.stderr.contains("final.csv"), "{}", ended.stderr);
    assert_eq!(world.s3.keys("legacy-s3").len(), 60);
    assert_eq!(files(&world), Vec::<String>::new());
    world.run(&["finalize", "--yes", "--report", "final.csv"]).exits(0);
}

#[test]
fn a_reader_who_has_gone_stops_nothing() {
    let world = World::new();
    world.avatars(5);
    // Standard output is closed before the program starts, standard error goes to a reader that has ended.
    let ended = in_shell(&world, "\"$@\" 2>&1 >&- | true; exit 0", &["copy"]);
    assert_eq!(ended.code, 0);
    world.every_row_resolves();
    assert!(world.paths().iter().all(|path| path.starts_with("avatar/")), "{:?}", world.paths());
    let ended = in_shell(&world, "\"$@\" >/dev/full", &["verify", "--report", "out.csv"]).exits(1);
    assert!(ended.stderr.contains("standard output"), "{}", ended.stderr);
    assert_eq!(world.statuses("out.csv").values().sum::<usize>(), 5, "the report is there all the same");
}
