//! A program that is measured from its start to its end: time, processor, memory.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use wait4::Wait4;

/// The word by which the bench starts itself as the parent of what it measures.
pub(crate) const MEASURE: &str = "--measure";

/// A program with its arguments and an environment of its own; secrets stand in the latter.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    path: PathBuf,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    directory: PathBuf,
    silent: bool,
}

/// What it took.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Usage {
    /// Seconds from start to end.
    pub(crate) wall: f64,
    /// Seconds of processor, user and system, children included.
    pub(crate) cpu: f64,
    /// The most memory that it held, in MB of 1,000,000 bytes.
    pub(crate) memory: f64,
    code: Option<i32>,
}

/// How it ended.
#[derive(Clone, Debug)]
pub(crate) struct Ended {
    pub(crate) usage: Usage,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Program {
    /// A program in a directory, with nothing of this environment but the path.
    pub(crate) fn new(path: impl Into<PathBuf>, directory: &Path) -> Self {
        Self {
            path: path.into(),
            arguments: Vec::new(),
            environment: Vec::new(),
            directory: directory.to_owned(),
            silent: false,
        }
    }

    pub(crate) fn args(mut self, arguments: &[&str]) -> Self {
        self.arguments.extend(arguments.iter().map(|&argument| argument.to_owned()));
        self
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Throws its output away.
    pub(crate) fn silent(mut self) -> Self {
        self.silent = true;
        self
    }

    /// As one would type it.
    pub(crate) fn typed(&self) -> String {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        let words = self
            .arguments
            .iter()
            .map(|word| if word.contains(['*', ' ', '\'']) { format!("'{word}'") } else { word.clone() });
        std::iter::once(name.into_owned()).chain(words).collect::<Vec<_>>().join(" ")
    }

    /// The program itself, unmeasured.
    pub(crate) fn command(&self) -> Command {
        self.dressed(Command::new(&self.path), self.arguments.iter().map(OsString::from))
    }

    /// Runs it and demands that it ends well.
    ///
    /// A child begins as a copy of its parent, and Linux counts the parent's memory as the child's own peak. The bench may
    /// hold a whole S3 server, so a small process stands between.
    pub(crate) fn run(&self) -> Result<Ended> {
        let noted = tempfile::NamedTempFile::new().context("no temporary file")?;
        let own = std::env::current_exe().context("the bench does not know its own path")?;
        let mut words: Vec<OsString> = vec![MEASURE.into(), noted.path().into(), self.path.clone().into()];
        words.extend(self.arguments.iter().map(OsString::from));
        let mut command = self.dressed(Command::new(own), words.into_iter());
        if self.silent {
            command.stdout(Stdio::null());
        }
        let output = command.output().with_context(|| format!("failed to run {}", self.typed()))?;
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        let noted = std::fs::read_to_string(noted.path()).context("nothing was noted")?;
        let usage: Usage = serde_json::from_str(&noted).with_context(|| format!("{}: {stderr}", self.typed()))?;
        let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        if usage.code != Some(0) {
            bail!("{} ended with {:?}\n{stdout}\n{}", self.typed(), usage.code, tail(&stderr));
        }
        Ok(Ended { usage, stdout, stderr })
    }

    fn dressed(&self, mut command: Command, words: impl Iterator<Item = OsString>) -> Command {
        command.args(words).env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", &self.directory).env("TMPDIR", &self.directory).current_dir(&self.directory);
        command.envs(self.environment.iter().map(|(name, value)| (name, value))).stdin(Stdio::null());
        command
    }
}

fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines.iter().skip(lines.len().saturating_sub(20)).copied().collect::<Vec<_>>().join("\n")
}

/// What the process between does: runs the program and notes what it took.
pub(crate) fn measure(note: &OsStr, program: &OsStr, arguments: impl Iterator<Item = OsString>) -> Result<()> {
    let begun = Instant::now();
    let mut child = Command::new(program).args(arguments).spawn().context("the program does not start")?;
    let ended = child.wait4().context("the program cannot be waited for")?;
    let usage = Usage {
        wall: begun.elapsed().as_secs_f64(),
        cpu: (ended.rusage.utime + ended.rusage.stime).as_secs_f64(),
        memory: ended.rusage.maxrss as f64 / 1e6,
        code: ended.status.code(),
    };
    std::fs::write(note, serde_json::to_string(&usage)?).context("what was measured cannot be noted")
}
