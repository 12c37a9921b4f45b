//! A private SeaweedFS on the loopback: a real S3 server.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, anyhow};
use aws_sdk_s3::Client;

use crate::blocking::{block_on, until_ready};
use crate::client::{S3Login, client};
use crate::programs::workspace;
use crate::supervisor::Supervisor;
use crate::{directory, ports, random};

/// Another process may take a port between its choice and its binding.
const START_ATTEMPTS: usize = 3;

/// A running instance. Dropping it kills the server and removes its data.
#[derive(Debug)]
pub struct Seaweed {
    server: Supervisor,
    login: S3Login,
    guest: S3Login,
    metrics: u16,
    next_bucket: AtomicU64,
}

impl Seaweed {
    /// The instance that all tests of a process share, started by the first of them.
    ///
    /// # Panics
    /// If it does not start, with what to do about it: a test without its server must not pass.
    #[must_use]
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Seaweed> = OnceLock::new();
        SHARED.get_or_init(|| match Self::start() {
            Ok(seaweed) => seaweed,
            Err(error) => panic!("{error:#}"),
        })
    }

    /// Starts an instance of one's own.
    pub fn start() -> anyhow::Result<Self> {
        let weed = find_weed()?;
        let mut failed = None;
        for _ in 0..START_ATTEMPTS {
            match Self::start_once(&weed) {
                Ok(seaweed) => return Ok(seaweed),
                Err(error) => failed = Some(error),
            }
        }
        Err(failed.unwrap_or_else(|| anyhow!("weed was not started")))
    }

    /// The program that is started.
    pub fn program() -> anyhow::Result<PathBuf> {
        find_weed()
    }

    /// `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.login.endpoint
    }

    /// The access key of the identity that may do everything.
    #[must_use]
    pub fn access_key(&self) -> &str {
        &self.login.access_key
    }

    /// The secret of the identity that may do everything.
    #[must_use]
    pub fn secret_key(&self) -> &str {
        &self.login.secret_key
    }

    /// The region to sign for.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.login.region
    }

    /// A new client with path-style addresses.
    #[must_use]
    pub fn client(&self) -> Client {
        client(&self.login)
    }

    /// A client of an identity that may do nothing but what the policies of buckets allow [`Self::GUEST`].
    #[must_use]
    pub fn guest(&self) -> Client {
        client(&self.guest)
    }

    /// The access key and the secret of that identity.
    #[must_use]
    pub fn guest_keys(&self) -> (&str, &str) {
        (&self.guest.access_key, &self.guest.secret_key)
    }

    /// That identity in the policies of buckets.
    pub const GUEST: &str = "arn:aws:iam::000000000000:user/guest";

    /// Creates a bucket with a name of its own, which contains the hint.
    ///
    /// # Panics
    /// If the server does not create it.
    #[must_use]
    pub fn bucket(&self, hint: &str) -> String {
        let number = self.next_bucket.fetch_add(1, Ordering::Relaxed);
        let name = format!("{hint}-{number}-{}", random::text(6));
        match block_on(|| create_bucket(&self.login, &name)) {
            Ok(()) => name,
            Err(error) => panic!("{error:#}"),
        }
    }

    /// How often S3 requests of each kind were answered since the start, by SeaweedFS's names: `COPY`, `LIST`, `DELETE`.
    /// It counts HEAD as `GET`.
    pub fn requests(&self) -> anyhow::Result<BTreeMap<String, u64>> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.metrics)).context("SeaweedFS shows no metrics")?;
        stream.write_all(b"GET /metrics HTTP/1.0\r\n\r\n").context("failed to ask for metrics")?;
        let mut page = String::new();
        stream.read_to_string(&mut page).context("failed to read metrics")?;
        Ok(request_counts(&page))
    }

    /// The process id of `weed`.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.server.pid()
    }

    /// The directory that holds its data and log.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.server.directory()
    }

    fn start_once(weed: &Path) -> anyhow::Result<Self> {
        let directory = directory::create("weed")?;
        std::fs::create_dir(directory.path().join("data")).context("failed to create SeaweedFS's directory")?;
        let free = ports::free(5)?;
        let [master, volume, filer, s3, metrics] = *free.as_slice() else {
            return Err(anyhow!("not five ports: {free:?}"));
        };
        let login = S3Login {
            endpoint: format!("http://127.0.0.1:{s3}"),
            access_key: "weed-access-key".to_owned(),
            secret_key: random::text(40),
            region: "us-east-1".to_owned(),
        };
        let guest = S3Login { access_key: "weed-guest-key".to_owned(), secret_key: random::text(40), ..login.clone() };
        write_settings(directory.path(), &login, &guest)?;
        let arguments = arguments(weed, directory.path(), [master, volume, filer, s3, metrics]);
        let server = Supervisor::new(directory.keep(), &arguments)?;
        server.start()?;
        block_on(|| until_ready("weed", &server, async || create_bucket(&login, "ready").await))?;
        Ok(Self { server, login, guest, metrics, next_bucket: AtomicU64::new(1) })
    }
}

/// From the environment, the project's own `.venv`, or the path.
fn find_weed() -> anyhow::Result<PathBuf> {
    if let Some(weed) = std::env::var_os("AVATAR_MIGRATE_WEED") {
        return Ok(PathBuf::from(weed));
    }
    let own = workspace().join(".venv/bin/weed");
    if own.is_file() {
        return Ok(own);
    }
    directory::find_program("weed", &[])
        .context("SeaweedFS (weed) is not installed, and these tests need a real S3 server: run `make setup`")
}

/// The identities, and growth by one volume at a time: every bucket is a collection with volumes of its own, and the
/// usual seven for each would soon be all that there may be.
fn write_settings(directory: &Path, login: &S3Login, guest: &S3Login) -> anyhow::Result<()> {
    let identities = format!(
        r#"{{"identities":[{{"name":"kit","credentials":[{{"accessKey":"{}","secretKey":"{}"}}],
            "actions":["Admin","Read","Write","List","Tagging"]}},
            {{"name":"guest","credentials":[{{"accessKey":"{}","secretKey":"{}"}}],"actions":[]}}]}}"#,
        login.access_key, login.secret_key, guest.access_key, guest.secret_key
    );
    std::fs::write(directory.join("s3.json"), identities).context("failed to write s3.json")?;
    let growth = "[master.volume_growth]\ncopy_1 = 1\ncopy_2 = 1\ncopy_3 = 1\ncopy_other = 1\n";
    std::fs::write(directory.join("master.toml"), growth).context("failed to write master.toml")
}

fn arguments(weed: &Path, directory: &Path, [master, volume, filer, s3, metrics]: [u16; 5]) -> Vec<OsString> {
    let with = |flag: &str, name: &str| {
        let mut argument = OsString::from(flag);
        argument.push(directory.join(name));
        argument
    };
    let numbered = |flag: &str, number: u16| OsString::from(format!("{flag}={number}"));
    let mut arguments =
        vec![weed.as_os_str().to_owned(), "-logtostderr=true".into(), with("-config_dir=", ""), "server".into()];
    arguments.extend([
        with("-dir=", "data"),
        with("-filer.localSocket=", "f.sock"),
        with("-s3.localSocket=", "s.sock"),
        with("-s3.config=", "s3.json"),
        numbered("-master.port", master),
        numbered("-volume.port", volume),
        numbered("-filer.port", filer),
        numbered("-s3.port", s3),
        numbered("-metricsPort", metrics),
    ]);
    let fixed = [
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        "-master.telemetry=false",
        "-master.electionTimeout=1s",
        "-master.volumeSizeLimitMB=1024",
        "-master.volumePreallocate=false",
        "-volume.max=1000",
        "-volume.preStopSeconds=1",
        "-filer",
        "-s3",
        "-s3.allowDeleteBucketNotEmpty=false",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
    ];
    arguments.extend(fixed.map(OsString::from));
    arguments
}

/// Sums lines such as `SeaweedFS_s3_request_total{bucket="a",code="200",type="COPY"} 3` by type.
fn request_counts(page: &str) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for line in page.lines().filter(|line| line.starts_with("SeaweedFS_s3_request_total{")) {
        let kind = line.split_once("type=\"").and_then(|(_, rest)| rest.split_once('"')).map(|(kind, _)| kind);
        let count = line.rsplit_once(' ').and_then(|(_, count)| whole(count));
        if let (Some(kind), Some(count)) = (kind, count) {
            *counts.entry(kind.to_owned()).or_default() += count;
        }
    }
    counts
}

/// Prometheus writes large counters as `1.000123e+06`, to the last digit.
fn whole(number: &str) -> Option<u64> {
    let number: f64 = number.parse().ok()?;
    format!("{number:.0}").parse().ok()
}

async fn create_bucket(login: &S3Login, name: &str) -> anyhow::Result<()> {
    let created = client(login).create_bucket().bucket(name).send().await;
    created.map(|_| ()).with_context(|| format!("failed to create the bucket {name}"))
}

#[cfg(test)]
mod tests {
    use super::request_counts;

    #[test]
    fn requests_are_summed_by_type() {
        let page = "# TYPE SeaweedFS_s3_request_total counter\n\
            SeaweedFS_s3_request_total{bucket=\"a\",code=\"200\",type=\"COPY\"} 3\n\
            SeaweedFS_s3_request_total{bucket=\"b\",code=\"412\",type=\"COPY\"} 1.000001e+06\n\
            SeaweedFS_s3_request_seconds_sum{bucket=\"b\",type=\"COPY\"} 7\n\
            SeaweedFS_s3_request_total{bucket=\"a\",code=\"200\",type=\"LIST\"} 1\n";
        let counts: Vec<(String, u64)> = request_counts(page).into_iter().collect();
        assert_eq!(counts, [("COPY".to_owned(), 1_000_004), ("LIST".to_owned(), 1)]);
    }
}
