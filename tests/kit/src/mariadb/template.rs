//! A freshly installed data directory, made once a machine and copied for every instance: installing takes seconds.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

use crate::directory;

/// The template for this version of MariaDB. Made aside and moved into place in one step, so that processes which
/// start together either see all of it or nothing.
pub(super) fn prepare(mariadbd: &Path) -> anyhow::Result<PathBuf> {
    let template = place(mariadbd)?;
    if template.is_dir() {
        return Ok(template);
    }
    let making = directory::create("template")?;
    let data = making.path().join("data");
    install(&data)?;
    match std::fs::rename(&data, &template) {
        Ok(()) => Ok(template),
        // Another process was quicker.
        Err(_) if template.is_dir() => Ok(template),
        Err(error) => Err(error).with_context(|| format!("failed to move the template to {}", template.display())),
    }
}

/// Named by version and owner: another user's template is neither readable nor to be trusted.
fn place(mariadbd: &Path) -> anyhow::Result<PathBuf> {
    let output = Command::new(mariadbd).arg("--version").output().context("failed to ask mariadbd for its version")?;
    let version = String::from_utf8_lossy(&output.stdout);
    let version = version.split_whitespace().skip_while(|word| *word != "Ver").nth(1).unwrap_or("unknown");
    let uid = std::fs::metadata("/proc/self").context("failed to read /proc/self")?.uid();
    let name = format!("avatar-migrate-template-{}-{uid}", version.replace('/', "_"));
    let place = std::env::temp_dir().join(name);
    if std::fs::metadata(&place).is_ok_and(|found| found.uid() != uid) {
        bail!("{} belongs to another user", place.display());
    }
    Ok(place)
}

fn install(data: &Path) -> anyhow::Result<()> {
    let installer = directory::find_program("mariadb-install-db", &["/usr/bin", "/usr/local/bin", "/usr/scripts"])
        .context("mariadb-install-db is not installed: apt-get install mariadb-server")?;
    let mut command = Command::new(installer);
    command.args([
        "--no-defaults",
        "--auth-root-authentication-method=normal",
        "--skip-test-db",
        "--skip-name-resolve",
    ]);
    if std::fs::metadata("/proc/self").context("failed to read /proc/self")?.uid() == 0 {
        command.arg("--user=root");
    }
    let mut datadir = std::ffi::OsString::from("--datadir=");
    datadir.push(data);
    let output = command.arg(datadir).output().context("failed to run mariadb-install-db")?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("mariadb-install-db failed ({}): {said}{}", output.status, String::from_utf8_lossy(&output.stdout));
    }
    Ok(())
}
