//! The stage: a database and buckets like production's, and what the program needs to reach them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, bail};
use avatar_migrate_kit::{EmbeddedS3, Mariadb, MariadbOptions, ObjectHeaders, png};

/// The bucket that objects leave.
pub(crate) const LEGACY: &str = "legacy-s3";
/// The bucket that objects enter.
pub(crate) const PRODUCTION: &str = "production-s3";
/// The schema of the application.
pub(crate) const SCHEMA: &str = "production-db";

const AVATARS: u64 = 400;
const PROFILES: u64 = 60;
const ORPHANS: u64 = 12;
const USER: &str = "migrator";
const PASSWORD: &str = "demo-password";
const SETTINGS: &str = "avatarMigrate.toml";
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const NAMES: [&str; 8] = ["ada", "grace", "linus", "barbara", "edsger", "radia", "donald", "frances"];

const TABLES: &str = "
CREATE DATABASE `production-db` CHARACTER SET utf8mb4;
USE `production-db`;
CREATE TABLE avatars (
  id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  user_name VARCHAR(100) NOT NULL,
  path VARCHAR(255) NOT NULL,
  updated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP
);
CREATE TABLE profiles (
  tenant VARCHAR(20) NOT NULL,
  user_id BIGINT NOT NULL,
  picture VARCHAR(255) NULL,
  PRIMARY KEY (tenant, user_id)
);
";

/// No more than the program needs; README lists the same.
const GRANTS: &str = "
GRANT SELECT ON `production-db`.* TO 'migrator'@'127.0.0.1';
GRANT UPDATE (path, updated_at) ON `production-db`.avatars TO 'migrator'@'127.0.0.1';
GRANT UPDATE (picture) ON `production-db`.profiles TO 'migrator'@'127.0.0.1';
GRANT ALL PRIVILEGES ON `avatar_migrate`.* TO 'migrator'@'127.0.0.1';
";

/// Both servers, filled, and the directory where the program runs.
pub(crate) struct Stage {
    pub(crate) mariadb: Mariadb,
    pub(crate) s3: EmbeddedS3,
    pub(crate) directory: PathBuf,
}

impl Stage {
    /// Starts and fills both servers, and writes the settings file.
    pub(crate) fn set(directory: &Path) -> Result<Self> {
        clear(directory)?;
        let mariadb = Mariadb::start(MariadbOptions::default())?;
        let s3 = EmbeddedS3::start()?;
        mariadb.execute(&format!("{TABLES}{}{}", avatars(), profiles()))?;
        mariadb.execute(&format!("CREATE USER '{USER}'@'127.0.0.1' IDENTIFIED BY '{PASSWORD}';{GRANTS}"))?;
        fill(&s3);
        let stage = Self { mariadb, s3, directory: directory.to_owned() };
        std::fs::write(stage.settings(), stage.settings_text()).context("failed to write the settings file")?;
        Ok(stage)
    }

    /// What the program finds in its environment: secrets, and nothing of the person who runs the demo.
    pub(crate) fn environment(&self) -> BTreeMap<&'static str, String> {
        let nowhere = || self.directory.join("no-aws-settings").display().to_string();
        BTreeMap::from([
            ("AWS_ACCESS_KEY_ID", self.s3.access_key().to_owned()),
            ("AWS_SECRET_ACCESS_KEY", self.s3.secret_key().to_owned()),
            ("AWS_REGION", self.s3.region().to_owned()),
            ("AWS_CONFIG_FILE", nowhere()),
            ("AWS_SHARED_CREDENTIALS_FILE", nowhere()),
            ("AVATAR_MIGRATE_DATABASE_PASSWORD", PASSWORD.to_owned()),
        ])
    }

    /// The lines that bring another terminal here.
    pub(crate) fn exports(&self, program: &Path) -> Vec<String> {
        let bin = program.parent().unwrap_or(Path::new("/"));
        let mut lines = vec![format!("cd {}", quoted(&self.directory.display().to_string()))];
        lines.push(format!("export PATH={}:\"$PATH\"", quoted(&bin.display().to_string())));
        lines.extend(self.environment().iter().map(|(name, value)| format!("export {name}={}", quoted(value))));
        // For the AWS CLI; the program has it from the settings file.
        lines.push(format!("export AWS_ENDPOINT_URL_S3={}", quoted(self.s3.endpoint())));
        lines
    }

    /// What to try there.
    pub(crate) fn suggestions(&self) -> [String; 4] {
        let port = self.mariadb.port();
        let client = format!("mariadb -h 127.0.0.1 -P {port} -u {USER} -p{PASSWORD} {SCHEMA}");
        [
            "avatarMigrate verify".to_owned(),
            format!("{client} -e 'SELECT * FROM avatars LIMIT 5'"),
            format!("{client} -e \"UPDATE avatars SET path = 'image/avatar-32002.png' WHERE id = 2\""),
            "avatarMigrate verify; avatarMigrate copy; avatarMigrate verify".to_owned(),
        ]
    }

    /// The reports that are there now.
    pub(crate) fn reports(&self) -> Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&self.directory)? {
            names.push(entry?.file_name().to_string_lossy().into_owned());
        }
        names.retain(|name| name != SETTINGS);
        names.sort();
        Ok(names)
    }

    fn settings(&self) -> PathBuf {
        self.directory.join(SETTINGS)
    }

    fn settings_text(&self) -> String {
        let (port, endpoint) = (self.mariadb.port(), self.s3.endpoint());
        format!(
            "database-url = \"mysql://{USER}@127.0.0.1:{port}/{SCHEMA}\"\n\
             source-bucket = \"{LEGACY}\"\n\
             target-bucket = \"{PRODUCTION}\"\n\
             source-endpoint-url = \"{endpoint}\"\n\
             target-endpoint-url = \"{endpoint}\"\n"
        )
    }
}

/// Removes what an earlier demo left, and nothing else.
fn clear(directory: &Path) -> Result<()> {
    if directory.join(SETTINGS).is_file() {
        std::fs::remove_dir_all(directory).context("failed to remove the reports of an earlier demo")?;
    }
    std::fs::create_dir_all(directory).with_context(|| format!("failed to create {}", directory.display()))?;
    if std::fs::read_dir(directory)?.next().is_some() {
        bail!("{} holds something that is not the demo's; move it away", directory.display());
    }
    Ok(())
}

/// Odd ones are legacy, even ones modern.
fn path(id: u64) -> String {
    let folder = if is_modern(id) { "avatar" } else { "image" };
    format!("{folder}/{}", name(id))
}

fn name(id: u64) -> String {
    format!("avatar-{}.png", 32_000 + id)
}

fn is_modern(id: u64) -> bool {
    id.is_multiple_of(2)
}

fn user(id: u64) -> String {
    let name = usize::try_from(id).ok().and_then(|id| NAMES.get(id % NAMES.len())).unwrap_or(&"ada");
    format!("{name}{id}")
}

fn avatars() -> String {
    let rows = (1..=AVATARS).map(|id| {
        let (user, path, day) = (user(id), path(id), id % 28 + 1);
        format!("({id}, '{user}', '{path}', '2025-03-{day:02} 12:00:00')")
    });
    format!("INSERT INTO avatars VALUES {};", rows.collect::<Vec<_>>().join(",\n"))
}

/// Some share an avatar's object, some have no picture, one has the out-of-scope logo.
fn profiles() -> String {
    let mut rows = String::from("('acme', 0, 'image/logo.png')");
    for id in 1..=PROFILES {
        let tenant = if id > PROFILES / 2 { "globex" } else { "acme" };
        let picture = if id.is_multiple_of(5) { "NULL".to_owned() } else { format!("'{}'", path(id)) };
        // Writing to a String cannot fail.
        write!(rows, ",\n('{tenant}', {id}, {picture})").unwrap_or_default();
    }
    format!("INSERT INTO profiles VALUES {rows};")
}

fn fill(s3: &EmbeddedS3) {
    s3.create_bucket(PRODUCTION);
    for id in 1..=AVATARS {
        put(s3, LEGACY, &format!("image/{}", name(id)), png(id));
        if is_modern(id) {
            put(s3, PRODUCTION, &path(id), png(id));
        }
    }
    for id in AVATARS + 1..=AVATARS + ORPHANS {
        put(s3, LEGACY, &format!("image/{}", name(id)), png(id));
    }
    put(s3, LEGACY, "image/logo.png", png(0));
    put(s3, LEGACY, "invoice/2024-01.pdf", b"%PDF-1.4 not an image".to_vec());
}

/// Written a month ago, with headers that a copy has to keep.
fn put(s3: &EmbeddedS3, bucket: &str, key: &str, bytes: Vec<u8>) {
    let kind = if key.ends_with(".png") { "image/png" } else { "application/pdf" };
    let headers = ObjectHeaders {
        content_type: Some(kind.to_owned()),
        cache_control: Some("public, max-age=86400".to_owned()),
        metadata: BTreeMap::from([("uploaded-by".to_owned(), "website".to_owned())]),
        ..ObjectHeaders::default()
    };
    s3.put_with(bucket, key, bytes, headers, |object| object.last_modified = SystemTime::now() - 30 * DAY);
}

/// A word for a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}
