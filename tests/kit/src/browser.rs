//! Chromium, driven from outside: the WebDriver server of Debian's package `chromium-driver`.

use std::ffi::OsString;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use anyhow::Context;

use crate::blocking::{block_on, until_ready};
use crate::supervisor::Supervisor;
use crate::{directory, random};

/// What says that it listens, and where.
const READY: &str = "was started successfully on port ";

/// A running ChromeDriver. Dropping it kills it, and with it every browser that it has started: they are reached by a pipe
/// (`--remote-debugging-pipe`), and end when that closes.
#[derive(Debug)]
pub struct ChromeDriver {
    server: Supervisor,
    url: String,
}

impl ChromeDriver {
    /// The instance that all tests of a process share, started by the first of them.
    ///
    /// # Panics
    /// If it does not start, with what to do about it: a test without its browser must not pass.
    #[must_use]
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<ChromeDriver> = OnceLock::new();
        SHARED.get_or_init(|| match Self::start() {
            Ok(driver) => driver,
            Err(error) => panic!("{error:#}"),
        })
    }

    /// Starts an instance of one's own.
    pub fn start() -> anyhow::Result<Self> {
        let driver = find("chromedriver")?;
        find("chromium")?;
        let directory = directory::create("chromium")?.keep();
        // Whatever they keep is kept there, and nothing of this machine's user is read.
        let places = ["HOME", "TMPDIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"];
        let places = places.map(|name| OsString::from(format!("{name}={}", directory.display())));
        let command: Vec<OsString> =
            ["env".into()].into_iter().chain(places).chain([driver.into(), "--port=0".into()]).collect();
        let server = Supervisor::new(directory, &command)?;
        server.start()?;
        let port = async || port_in(server.directory()).context("it does not say where it listens");
        let port = block_on(|| until_ready("chromedriver", &server, port))?;
        Ok(Self { server, url: format!("http://127.0.0.1:{port}") })
    }

    /// `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where the profiles of its browsers are.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.server.directory()
    }

    /// What to tell Chromium: nothing of this machine's user, nothing in the background, and to end with its driver.
    #[must_use]
    pub fn arguments(&self) -> Vec<String> {
        let profile = self.server.directory().join(format!("profile-{}", random::text(8)));
        let mut arguments: Vec<String> = [
            "--headless",
            "--remote-debugging-pipe",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-dev-shm-usage",
            "--disable-gpu",
            "--hide-scrollbars",
            "--no-first-run",
        ]
        .map(str::to_owned)
        .into();
        arguments.push(format!("--user-data-dir={}", profile.display()));
        // Chromium refuses its sandbox to root.
        if std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0) {
            arguments.push("--no-sandbox".to_owned());
        }
        arguments
    }
}

fn port_in(directory: &Path) -> Option<u16> {
    let log = std::fs::read_to_string(directory.join("output.log")).ok()?;
    let (port, _) = log.split_once(READY)?.1.split_once('.')?;
    port.parse().ok()
}

fn find(program: &str) -> anyhow::Result<PathBuf> {
    let found = directory::find_program(program, &[]);
    found.with_context(|| format!("{program} is not installed: run `make setup`"))
}
