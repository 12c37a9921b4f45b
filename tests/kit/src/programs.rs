//! Programs that `tools/setup` puts into the workspace.

use std::path::{Path, PathBuf};

use anyhow::bail;

/// The AWS CLI.
///
/// # Errors
/// If it is not installed, with what to do about it.
pub fn aws_cli() -> anyhow::Result<PathBuf> {
    installed(".venv/bin/aws", "make setup")
}

/// The Python that has the packages of `tools/setup`.
///
/// # Errors
/// As [`aws_cli`].
pub fn python() -> anyhow::Result<PathBuf> {
    installed(".venv/bin/python", "make setup")
}

/// The command line of Kubernetes.
///
/// # Errors
/// As [`aws_cli`].
pub fn kubectl() -> anyhow::Result<PathBuf> {
    installed(".venv/bin/kubectl", "make setup")
}

/// What compares manifests with the schemas that Kubernetes publishes, of which it has a copy.
///
/// # Errors
/// As [`aws_cli`].
pub fn kubernetes_validate() -> anyhow::Result<PathBuf> {
    installed(".venv/bin/kubernetes-validate", "make setup")
}

/// The script of axe-core, which looks for what keeps people from using a page.
///
/// # Errors
/// If it is not installed, with what to do about it.
pub fn axe() -> anyhow::Result<PathBuf> {
    installed(".venv/axe.min.js", "make setup")
}

/// A program of the workspace, which `command` installs.
pub(crate) fn installed(path: &str, command: &str) -> anyhow::Result<PathBuf> {
    let program = workspace().join(path);
    if !program.is_file() {
        bail!("{} is not installed: run `{command}`", program.display());
    }
    Ok(program)
}

pub(crate) fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap_or(Path::new("."))
}
