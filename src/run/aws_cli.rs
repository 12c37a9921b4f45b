//! The AWS CLI as a child process: asked who it is, run, and what it says passed on.

use std::process::{Output, Stdio};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::Command;
use tokio_util::sync::CancellationToken;

use crate::config;
use crate::failure::Failure;
use crate::report::text::printable;

/// The AWS CLI of this machine, of either major version.
pub(super) struct AwsCli {
    version: String,
}

impl AwsCli {
    /// Looks for `aws` in `PATH`, and asks it for its version.
    ///
    /// # Errors
    /// [`Failure::Usage`] if there is none, or if it is something else.
    pub(super) async fn find() -> Result<Self> {
        let Output { status, stdout, .. } = command().arg("--version").output().await.map_err(cannot_start)?;
        if !status.success() {
            bail!("`aws --version` ended with {status}");
        }
        let said = String::from_utf8_lossy(&stdout).trim().to_owned();
        if !said.starts_with("aws-cli/") {
            let said = printable(said.lines().next().unwrap_or_default());
            let message =
                format!("--method sync runs `aws`, which is not the AWS CLI here: it says `{said}` of its version");
            return Err(Failure::Usage { message, hint: HINT.to_owned() }.into());
        }
        Ok(Self { version: said })
    }

    /// What it says of its version, such as `aws-cli/2.31.0 Python/3.13.7 …`.
    pub(super) fn version(&self) -> &str {
        &self.version
    }

    /// Runs it to its end, and tells each line of its output. Once `stop` is set it is told to end, and waited for: it takes
    /// back the uploads that it has begun.
    ///
    /// # Errors
    /// [`Failure::Interrupted`]; if it ends with another code than 0.
    pub(super) async fn run(&self, arguments: &[&str], stop: &CancellationToken, tell: impl Fn(&str)) -> Result<()> {
        let mut child =
            command().args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(cannot_start)?;
        let (output, errors) = (child.stdout.take(), child.stderr.take());
        let pid = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
        let warn = |line: &str| tracing::warn!("aws: {}", printable(line));
        let ended = async { tokio::join!(lines(output, tell), lines(errors, warn), child.wait()) };
        tokio::pin!(ended);
        let (said, complained, status) = tokio::select! {
            ended = &mut ended => ended,
            () = stop.cancelled() => {
                // It may have ended in this moment; nobody has waited for it yet, so that the number is still its own.
                let _gone = pid.map(|pid| kill_process(pid, Signal::INT));
                ended.await
            }
        };
        if stop.is_cancelled() {
            return Err(Failure::Interrupted.into());
        }
        said.and(complained).context("failed to read what `aws` says")?;
        let status = status.context("failed to wait for `aws`")?;
        if !status.success() {
            bail!("`aws {}` ended with {status}; no row has changed", arguments.get(..2).unwrap_or_default().join(" "));
        }
        Ok(())
    }
}

/// It needs the AWS chain of the environment, and none of this program's variables: one holds the password.
fn command() -> Command {
    let mut command = Command::new("aws");
    for variable in config::variables() {
        command.env_remove(variable);
    }
    command.stdin(Stdio::null()).kill_on_drop(true);
    command
}

fn cannot_start(error: std::io::Error) -> anyhow::Error {
    let message = format!("--method sync runs the AWS CLI, which could not be started: {error}");
    Failure::Usage { message, hint: HINT.to_owned() }.into()
}

const HINT: &str = "install the AWS CLI (`aws`), or use --method copy";

/// Tells each line that is not empty, to the end of the stream.
async fn lines(stream: Option<impl AsyncRead + Unpin>, tell: impl Fn(&str)) -> std::io::Result<()> {
    let Some(stream) = stream else { return Ok(()) };
    let mut lines = BufReader::new(stream).split(b'\n');
    while let Some(line) = lines.next_segment().await? {
        let line = String::from_utf8_lossy(&line);
        if !line.trim().is_empty() {
            tell(&line);
        }
    }
    Ok(())
}
