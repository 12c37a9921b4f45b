//! What the program prints of itself: settings to begin with, completions, manual pages.

use std::path::Path;
use std::process::{Command, Output};

use avatar_migrate::cli::arguments::command;

use crate::support::{World, bare_command};

fn run(directory: &Path, arguments: &[&str]) -> Output {
    bare_command(directory).args(arguments).output().expect("the program starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

#[test]
fn a_first_settings_file_needs_the_database_and_no_more() {
    let world = World::new();
    let keys = world.avatars(3);
    let printed = run(world.directory.path(), &["init"]);
    assert_eq!(printed.status.code(), Some(0));
    let settings = text(&printed.stdout).replace("mysql://USER@HOST:3306/SCHEMA", &world.database.url());
    let file = world.directory.path().join("avatarMigrate.toml");
    std::fs::write(&file, settings).expect("a settings file");
    let from_file = |arguments: &[&str]| {
        let mut command = world.command(&world.database.url(), arguments);
        command.env_remove("AVATAR_MIGRATE_DATABASE_URL");
        let output = command.output().expect("the program starts");
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    };
    from_file(&["copy"]);
    from_file(&["verify"]);
    assert_eq!(world.s3.keys("production-s3").len(), keys.len());
}

#[test]
fn bash_completes_commands_and_flags() {
    let directory = tempfile::tempdir().expect("a directory");
    let script = run(directory.path(), &["completions", "bash"]);
    assert_eq!(script.status.code(), Some(0));
    std::fs::write(directory.path().join("script"), &script.stdout).expect("a script");
    for (words, expected) in
        [("fin", "finalize"), ("copy --transa", "--transaction-rows"), ("copy --check sh", "sha256")]
    {
        let complete = format!(
            "source ./script; COMP_WORDS=(avatarMigrate {words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); \
             $(complete -p avatarMigrate | sed 's/.*-F \\([^ ]*\\).*/\\1/') avatarMigrate \
             \"${{COMP_WORDS[COMP_CWORD]}}\" \"${{COMP_WORDS[COMP_CWORD-1]}}\"; echo \"${{COMPREPLY[*]}}\""
        );
        let mut bash = Command::new("bash");
        let output = bash.args(["--norc", "-c", &complete]).current_dir(directory.path()).output().expect("bash");
        assert_eq!(text(&output.stdout).trim(), expected, "{}", text(&output.stderr));
    }
    for shell in ["zsh", "fish", "elvish", "powershell"] {
        let script = text(&run(directory.path(), &["completions", shell]).stdout);
        assert!(script.contains("finalize") && script.contains("transaction-rows"), "{shell}");
    }
}

#[test]
fn each_command_has_a_manual_page_with_all_its_flags() {
    let directory = tempfile::tempdir().expect("a directory");
    assert_eq!(run(directory.path(), &["man", "."]).status.code(), Some(0));
    let program = command();
    for subcommand in program.get_subcommands() {
        let name = subcommand.get_name();
        let page = std::fs::read_to_string(directory.path().join(format!("avatarMigrate-{name}.1")));
        let page = page.unwrap_or_else(|error| panic!("{name}: {error}")).replace('\\', "");
        for flag in subcommand.get_arguments().filter(|flag| !flag.is_hide_set()).filter_map(|flag| flag.get_long()) {
            assert!(page.contains(&format!("--{flag}")), "{name} --{flag}");
        }
    }
    let page = std::fs::read_to_string(directory.path().join("avatarMigrate.1")).expect("the page of the program");
    assert!(page.contains(".TH avatarMigrate 1"), "{page}");
}

#[test]
fn what_cannot_be_printed_is_an_error_with_a_hint() {
    let directory = tempfile::tempdir().expect("a directory");
    let nowhere = run(directory.path(), &["man", "nowhere"]);
    assert_eq!(nowhere.status.code(), Some(1));
    let said = text(&nowhere.stderr);
    assert!(said.contains("failed to write manual pages to nowhere") && said.contains(" hint: "), "{said}");
    for (arguments, names) in [
        (&["completions", "tcsh"][..], "tcsh"),
        (&["completions"], "<SHELL>"),
        (&["man"], "<DIR>"),
        (&["init", "x"], "x"),
    ] {
        let refused = run(directory.path(), arguments);
        let said = text(&refused.stderr);
        assert_eq!(refused.status.code(), Some(2), "{said}");
        assert!(said.contains(names), "{said}");
    }
}
