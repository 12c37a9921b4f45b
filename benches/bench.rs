//! What all rows share: options, a runtime, SeaweedFS with ten thousand objects, a line for each step.
#![expect(clippy::print_stdout, reason = "whoever waits wants to see how far it is")]

use std::cell::OnceCell;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result};
use avatar_migrate_kit::Seaweed;
use aws_sdk_s3::Client;
use tokio::runtime::Runtime;

use crate::endpoint::{self, Endpoint};
use crate::options::Options;
use crate::peers::Peer;
use crate::results::{Row, said};
use crate::world::mariadb;

/// The running bench.
pub(crate) struct Bench {
    pub(crate) options: Options,
    /// What was measured so far.
    pub(crate) results: PathBuf,
    pub(crate) runtime: Runtime,
    begun: Instant,
    weed: OnceCell<Weed>,
}

/// A SeaweedFS, and a bucket in it with the objects that are copied.
pub(crate) struct Weed {
    pub(crate) server: &'static Seaweed,
    pub(crate) client: Client,
    pub(crate) at: Endpoint,
    pub(crate) bucket: String,
    pub(crate) count: usize,
}

impl Bench {
    /// Makes sure that all contestants are there.
    pub(crate) fn new(options: Options, results: &Path) -> Result<Self> {
        for peer in Peer::ALL {
            peer.version()?;
        }
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("no runtime")?;
        Ok(Self { options, results: results.to_owned(), runtime, begun: Instant::now(), weed: OnceCell::new() })
    }

    /// A row that knows where and with what it is measured.
    pub(crate) fn row(&self) -> Result<Row> {
        let mut row = Row::begin(self.options.rounds);
        for peer in Peer::ALL {
            row.versions.insert(peer.name().to_owned(), peer.version()?);
        }
        // Debian keeps it where only root looks.
        let ask = "PATH=$PATH:/usr/sbin:/usr/local/sbin:/usr/libexec mariadbd --version";
        let server = said("sh", &["-c", ask]);
        let server = server.split_whitespace().skip_while(|word| *word != "Ver").nth(1).unwrap_or("unknown").to_owned();
        row.versions.insert("MariaDB".to_owned(), server);
        let weed = said(&Seaweed::program()?.to_string_lossy(), &["version"]);
        let is_number = |word: &&str| word.chars().all(|letter| letter.is_ascii_digit() || letter == '.');
        let weed = weed.split_whitespace().find(is_number);
        row.versions.insert("SeaweedFS".to_owned(), weed.unwrap_or("unknown").to_owned());
        Ok(row)
    }

    /// SeaweedFS with 10,000 objects of 4 to 64 KiB.
    pub(crate) fn weed(&self) -> Result<&Weed> {
        if let Some(weed) = self.weed.get() {
            return Ok(weed);
        }
        let count = self.options.scale(10_000, 300);
        self.step(&format!("SeaweedFS starts and takes {count} objects"));
        let server = Seaweed::shared();
        let client = self.runtime.block_on(async { server.client() });
        let bucket = server.bucket("legacy");
        self.runtime.block_on(endpoint::fill(&client, &bucket, count))?;
        // It starts now, and not within the first round.
        mariadb()?;
        let at = Endpoint::of_seaweed(server);
        Ok(self.weed.get_or_init(|| Weed { server, client, at, bucket, count }))
    }

    /// Tells which step begins.
    pub(crate) fn step(&self, text: &str) {
        say(&format!("  {:>5} s  {text}", self.begun.elapsed().as_secs()));
    }
}

impl Weed {
    /// Runs something and gives, with what it gave, the requests that it took.
    pub(crate) fn counted<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<(T, u64)> {
        let before = self.server.requests()?;
        let done = work()?;
        Ok((done, endpoint::between(&before, &self.server.requests()?)))
    }
}

/// A line on standard output.
pub(crate) fn say(text: &str) {
    println!("{text}");
    // A pipe that is closed is no reason to stop measuring.
    std::io::stdout().flush().unwrap_or_default();
}
