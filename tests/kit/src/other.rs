//! S3 servers of others: moto, which has the rest of AWS around its buckets too, and s3s-fs, which only `make deep` starts to
//! see what others do.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Context;
use aws_sdk_s3::Client;

use crate::blocking::{block_on, until_ready};
use crate::client::{S3Login, client};
use crate::programs::installed;
use crate::supervisor::Supervisor;
use crate::{directory, ports, random};

/// A running server. Dropping it kills the server and removes its data.
#[derive(Debug)]
pub struct OtherS3 {
    // Dropping it kills the server.
    _server: Supervisor,
    login: S3Login,
    version: String,
    next_bucket: AtomicU64,
}

impl OtherS3 {
    /// The moto that all tests of a process share, started by the first of them.
    ///
    /// # Panics
    /// If it does not start, with what to do about it.
    #[must_use]
    pub fn shared_moto() -> &'static Self {
        static SHARED: OnceLock<OtherS3> = OnceLock::new();
        SHARED.get_or_init(|| match Self::moto() {
            Ok(moto) => moto,
            Err(error) => panic!("{error:#}"),
        })
    }

    /// moto, the mock of AWS that Python projects test on.
    pub fn moto() -> anyhow::Result<Self> {
        let program = installed(".venv/bin/moto_server", "make setup")?;
        let version =
            said(&installed(".venv/bin/python", "make setup")?, &["-c", "import moto; print(moto.__version__)"])?;
        Self::start("moto", version, |port, _, _| {
            vec![program.clone().into(), "-H".into(), "127.0.0.1".into(), "-p".into(), port.to_string().into()]
        })
    }

    /// s3s-fs, files in directories behind the library that the embedded server is built on.
    pub fn s3s_fs() -> anyhow::Result<Self> {
        let program = installed("target/deep/bin/s3s-fs", "tools/setup deep")?;
        let version = said(&program, &["--version"])?;
        Self::start("s3s-fs", version, |port, login, data| {
            let words = ["--host", "127.0.0.1", "--port", port, "--access-key", &login.access_key, "--secret-key"];
            let mut command = vec![program.clone().into()];
            command.extend(words.map(OsString::from));
            command.extend([login.secret_key.clone().into(), data.into()]);
            command
        })
    }

    /// A new client with path-style addresses.
    #[must_use]
    pub fn client(&self) -> Client {
        client(&self.login)
    }

    /// What it says of its version.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Its endpoint.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.login.endpoint
    }

    /// Its access key.
    #[must_use]
    pub fn access_key(&self) -> &str {
        &self.login.access_key
    }

    /// Creates a bucket with a name of its own, which contains the hint.
    pub fn bucket(&self, hint: &str) -> anyhow::Result<String> {
        let name = format!("{hint}-{}", self.next_bucket.fetch_add(1, Ordering::Relaxed));
        block_on(|| create_bucket(&self.login, &name))?;
        Ok(name)
    }

    fn start(
        name: &str,
        version: String,
        command: impl Fn(&str, &S3Login, &Path) -> Vec<OsString>,
    ) -> anyhow::Result<Self> {
        let directory = directory::create(name)?;
        let data = directory.path().join("data");
        std::fs::create_dir(&data).context("failed to create the server's directory")?;
        let port = ports::free(1)?.first().copied().context("no port")?;
        let login = S3Login {
            endpoint: format!("http://127.0.0.1:{port}"),
            access_key: "other-access-key".to_owned(),
            secret_key: random::text(40),
            region: "us-east-1".to_owned(),
        };
        let command = command(&port.to_string(), &login, &data);
        let server = Supervisor::new(directory.keep(), &command)?;
        server.start()?;
        block_on(|| until_ready(name, &server, async || create_bucket(&login, "ready").await))?;
        let version = version.split_whitespace().last().unwrap_or_default().to_owned();
        Ok(Self { _server: server, login, version, next_bucket: AtomicU64::new(1) })
    }
}

/// A program that `tools/setup deep` has put below the project's root.
fn said(program: &Path, arguments: &[&str]) -> anyhow::Result<String> {
    let output = Command::new(program).args(arguments).output();
    let output = output.with_context(|| format!("failed to run {}", program.display()))?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

async fn create_bucket(login: &S3Login, name: &str) -> anyhow::Result<()> {
    let created = client(login).create_bucket().bucket(name).send().await;
    created.map(|_| ()).with_context(|| format!("failed to create the bucket {name}"))
}
