//! A server process that never outlives this one.
//!
//! A static is never dropped, and a killed test process runs nothing at all. So a small shell stands between: it
//! starts and stops the server on orders that come down a pipe; when the pipe closes, for whatever reason, it kills
//! the server and removes the directory. If the shell itself is killed, the kernel kills the server.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Context, bail};

/// `$1` is the directory, the rest is the command.
const SCRIPT: &str = r#"
dir=$1; shift
server=
stop() {
    [ -z "$server" ] && return
    kill -KILL "$server"
    wait "$server"
    server=
}
while read -r order; do
    case $order in
    start)
        setpriv --pdeathsig KILL -- "$@" </dev/null >>"$dir/output.log" 2>&1 &
        server=$!
        echo "$server" ;;
    stop)
        stop
        echo stopped ;;
    esac
done
stop
# What the server had started (a browser) may still write there until it ends: it has the directory among its words.
printf '%s\n' "$dir" >"$dir/words"
for attempt in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    grep -lsaFf "$dir/words" /proc/[0-9]*/cmdline >"$dir/left"
    others=
    while read -r process; do
        [ "$process" = "/proc/$$/cmdline" ] || others=yes
    done <"$dir/left"
    [ -z "$others" ] && break
    sleep 0.2
done
rm -rf "$dir"
"#;

/// The shell and what it watches over.
#[derive(Debug)]
pub(crate) struct Supervisor {
    directory: PathBuf,
    shell: Mutex<Shell>,
}

#[derive(Debug)]
struct Shell {
    child: Child,
    // None once the supervisor is being dropped.
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    server: Option<u32>,
}

impl Supervisor {
    /// Makes ready to run a command in a directory, which the supervisor owns from now on and removes at the end.
    pub(crate) fn new(directory: PathBuf, command: &[OsString]) -> anyhow::Result<Self> {
        let mut child = Command::new("setsid")
            .args(["sh", "-c", SCRIPT, "avatar-migrate-kit"])
            .arg(&directory)
            .args(command)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("failed to start setsid and sh (package util-linux)")?;
        let orders = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().context("the shell has no output")?);
        Ok(Self { directory, shell: Mutex::new(Shell { child, orders, answers, server: None }) })
    }

    /// Starts the server.
    pub(crate) fn start(&self) -> anyhow::Result<()> {
        let mut shell = self.shell();
        let pid = shell.order("start")?;
        shell.server = Some(pid.parse().with_context(|| format!("failed to read a process id from {pid:?}"))?);
        Ok(())
    }

    /// Kills the server with SIGKILL and waits until it is gone.
    pub(crate) fn kill(&self) -> anyhow::Result<()> {
        let mut shell = self.shell();
        shell.order("stop")?;
        shell.server = None;
        Ok(())
    }

    /// The server's process id.
    pub(crate) fn pid(&self) -> Option<u32> {
        self.shell().server
    }

    /// Whether the server runs.
    pub(crate) fn is_alive(&self) -> bool {
        let Some(pid) = self.pid() else { return false };
        // The third field is the state. A dead server stays a zombie (Z) until the shell is told to wait for it.
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        stat.rsplit_once(") ").is_some_and(|(_, state)| !state.starts_with('Z'))
    }

    /// The directory of the server.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// The end of what the server said, for messages.
    pub(crate) fn log_tail(&self) -> String {
        let log = std::fs::read(self.directory.join("output.log")).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<&str> = log.lines().collect();
        lines.iter().skip(lines.len().saturating_sub(25)).copied().collect::<Vec<_>>().join("\n")
    }

    fn shell(&self) -> MutexGuard<'_, Shell> {
        self.shell.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        let shell = self.shell.get_mut().unwrap_or_else(PoisonError::into_inner);
        // Closing the pipe is the order to kill and to clean.
        drop(shell.orders.take());
        drop(shell.child.wait());
    }
}

impl Shell {
    fn order(&mut self, order: &str) -> anyhow::Result<String> {
        let orders = self.orders.as_mut().context("the shell is gone")?;
        writeln!(orders, "{order}").with_context(|| format!("failed to order {order:?}"))?;
        orders.flush().with_context(|| format!("failed to order {order:?}"))?;
        let mut answer = String::new();
        self.answers.read_line(&mut answer).with_context(|| format!("failed to read the answer to {order:?}"))?;
        if answer.is_empty() {
            bail!("the shell that watches over the server ended at {order:?}");
        }
        Ok(answer.trim().to_owned())
    }
}
