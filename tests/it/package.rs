//! The Debian package: it installs, runs and goes away again, with all that belongs to the program.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn run(command: &mut Command) -> Output {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
    output
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// dpkg with a system of its own, in which nothing else is installed.
fn dpkg(root: &Path, arguments: &[&str]) {
    let mut command = Command::new("dpkg");
    command.arg(format!("--root={}", root.display())).args(["--force-not-root", "--force-depends", "--log=/dev/null"]);
    command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    run(command.args(arguments));
}

/// All files below a folder, without the books of dpkg.
fn files(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
            match entry.is_dir() {
                true if entry != root.join("var") => folders.push(entry),
                true => {}
                false => found.push(entry.strip_prefix(root).expect("below").to_owned()),
            }
        }
    }
    found
}

#[test]
fn the_package_installs_runs_and_goes_away() {
    let (out, root) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR"));
    run(Command::new(workspace.join("tools/package")).arg(env!("CARGO_BIN_EXE_avatarMigrate")).env("OUT", out.path()));
    let mut made = std::fs::read_dir(out.path()).expect("a folder").map(|entry| entry.expect("an entry").path());
    let package = made.next().expect("a package").display().to_string();
    let fields = text(&run(Command::new("dpkg-deb").args(["--field", &package])));
    assert!(fields.contains("Package: avatar-migrate\n") && fields.contains("libc6 (>= "), "{fields}");

    for folder in ["info", "updates"] {
        std::fs::create_dir_all(root.path().join("var/lib/dpkg").join(folder)).expect("a folder");
    }
    std::fs::write(root.path().join("var/lib/dpkg/status"), "").expect("a file");
    dpkg(root.path(), &["--install", &package]);
    let program = root.path().join("usr/bin/avatarMigrate");
    let version = text(&run(Command::new(&program).arg("--version")));
    assert!(version.starts_with(concat!("avatarMigrate ", env!("CARGO_PKG_VERSION"))), "{version}");
    for file in [
        "usr/share/man/man1/avatarMigrate-copy.1.gz",
        "usr/share/bash-completion/completions/avatarMigrate",
        "usr/share/zsh/vendor-completions/_avatarMigrate",
        "usr/share/fish/vendor_completions.d/avatarMigrate.fish",
        "usr/share/doc/avatar-migrate/examples/avatarMigrate.toml",
        "usr/share/doc/avatar-migrate/docs/runbook.md",
    ] {
        assert!(root.path().join(file).is_file(), "{file} is not among {:?}", files(root.path()));
    }
    dpkg(root.path(), &["--purge", "avatar-migrate"]);
    assert_eq!(files(root.path()), Vec::<PathBuf>::new());
}
