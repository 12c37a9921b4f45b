//! Tells a release build which commit it was made from: `avatarMigrate --version` prints it.
//!
//! A debug build is not told, as every commit would then compile it anew.

use std::process::Command;

/// Who builds without the repository (a container, a package) says the commit by this.
const VARIABLE: &str = "AVATAR_MIGRATE_COMMIT";

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed={VARIABLE}");
    let version = std::env::var("CARGO_PKG_VERSION").unwrap_or_default();
    let release = std::env::var("PROFILE").is_ok_and(|profile| profile == "release");
    let said = std::env::var(VARIABLE).ok().filter(|commit| !commit.is_empty());
    let commit = said.or_else(|| if release { commit_of_repository() } else { None });
    let version = commit.map_or_else(|| version.clone(), |commit| format!("{version} ({commit})"));
    // Cargo hands it to tests and to `cargo run` too, where a name like that of a setting would be an unknown one.
    println!("cargo:rustc-env=VERSION_AND_COMMIT={version}");
}

/// `1acae72f0b3c 2026-11-23`, if this is a checkout.
fn commit_of_repository() -> Option<String> {
    let log = git(&["rev-parse", "--git-path", "logs/HEAD"])?;
    println!("cargo:rerun-if-changed={log}");
    git(&["log", "-1", "--format=%h %cs", "--abbrev=12"])
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok().filter(|output| output.status.success())?;
    String::from_utf8(output.stdout).ok().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}
