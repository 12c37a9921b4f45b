//! Directories of throw-away servers, and programs on this machine.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};
use tempfile::TempDir;

/// A new directory under the system's temporary one, which only this user can read.
pub(crate) fn create(purpose: &str) -> anyhow::Result<TempDir> {
    tempfile::Builder::new()
        .prefix(&format!("avatar-migrate-{purpose}-"))
        .tempdir()
        .context("failed to create a temporary directory")
}

/// Copies a directory with everything in it; holes in files stay holes.
pub(crate) fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    let status = Command::new("cp").args(["-a", "--reflink=auto", "--sparse=auto"]).arg(from).arg(to).status();
    if !status.context("failed to run cp")?.success() {
        bail!("failed to copy {} to {}", from.display(), to.display());
    }
    Ok(())
}

/// Looks for a program on the path, then in other places.
pub(crate) fn find_program(name: &str, elsewhere: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let places = std::env::split_paths(&path).chain(elsewhere.iter().map(PathBuf::from));
    places.map(|place| place.join(name)).find(|candidate| candidate.is_file())
}
