//! nginx and HAProxy from Debian, each with a configuration of the test's own, and the program that runs JavaScript.

use std::ffi::OsString;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, anyhow, bail};

use crate::blocking::{block_on, until_ready};
use crate::supervisor::Supervisor;
use crate::{directory, ports};

/// Another process may take a port between its choice and its binding.
const START_ATTEMPTS: usize = 3;

/// Where Debian puts programs that an ordinary user's path lacks.
const SBIN: &[&str] = &["/usr/sbin", "/usr/local/sbin"];

/// What can be started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WebServer {
    /// With the configuration in its http block, in one process.
    Nginx,
    /// With the configuration as its only file.
    Haproxy,
}

/// A running server. Dropping it kills the server and removes its directory.
#[derive(Debug)]
pub struct RunningWebServer {
    server: Supervisor,
    address: SocketAddr,
}

impl RunningWebServer {
    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The end of what it said.
    #[must_use]
    pub fn log_tail(&self) -> String {
        self.server.log_tail()
    }
}

impl WebServer {
    /// Starts it on a port of the loopback, with what `configure` writes for this address.
    pub fn start(self, configure: impl Fn(SocketAddr) -> String) -> anyhow::Result<RunningWebServer> {
        let mut failed = None;
        for _ in 0..START_ATTEMPTS {
            let port = ports::free(1)?.first().copied().context("no port")?;
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
            match self.start_once(address, &configure(address)) {
                Ok(running) => return Ok(running),
                Err(error) => failed = Some(error),
            }
        }
        Err(failed.unwrap_or_else(|| anyhow!("{self:?} was not started")))
    }

    /// Whether the program takes a configuration; what it said if it does not.
    pub fn check(self, configuration: &str) -> anyhow::Result<()> {
        let directory = directory::create("web")?;
        let mut command = self.command(directory.path(), configuration)?;
        command.push(if self == Self::Nginx { "-t" } else { "-c" }.into());
        let output = Command::new("timeout").arg("60").args(command).output().context("failed to run it")?;
        if !output.status.success() {
            bail!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        }
        Ok(())
    }

    fn start_once(self, address: SocketAddr, configuration: &str) -> anyhow::Result<RunningWebServer> {
        let directory = directory::create("web")?;
        let command = self.command(directory.path(), configuration)?;
        let server = Supervisor::new(directory.keep(), &command)?;
        server.start()?;
        let connected = async || TcpStream::connect(address).map(drop).context("nobody listens");
        block_on(|| until_ready(self.program_name(), &server, connected))?;
        Ok(RunningWebServer { server, address })
    }

    fn program_name(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Haproxy => "haproxy",
        }
    }

    /// The command that runs in the foreground, with all its files in a directory.
    fn command(self, directory: &Path, configuration: &str) -> anyhow::Result<Vec<OsString>> {
        let program = installed(self.program_name())?;
        let file = directory.join("configuration");
        std::fs::write(&file, configuration).context("failed to write the configuration")?;
        match self {
            Self::Nginx => {
                let main = directory.join("nginx.conf");
                std::fs::write(&main, around(directory)).context("failed to write nginx.conf")?;
                Ok(vec![program.into(), "-p".into(), directory.into(), "-c".into(), main.into()])
            }
            Self::Haproxy => Ok(vec![program.into(), "-db".into(), "-f".into(), file.into()]),
        }
    }
}

/// The rest of nginx's configuration.
fn around(directory: &Path) -> String {
    let kinds = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    let places = kinds.map(|kind| format!("{kind}_temp_path {}/{kind};", directory.display())).join(" ");
    format!(
        "daemon off; master_process off; error_log stderr; pid {0}/nginx.pid;\nevents {{}}\n\
         http {{ access_log off; {places} include {0}/configuration; }}\n",
        directory.display()
    )
}

/// The program that runs JavaScript outside browsers.
///
/// # Errors
/// If it is not installed, with what to do about it.
pub fn node() -> anyhow::Result<PathBuf> {
    installed("node")
}

fn installed(program: &str) -> anyhow::Result<PathBuf> {
    directory::find_program(program, SBIN)
        .with_context(|| format!("{program} is not installed, and these tests need the real one: run `make setup`"))
}
