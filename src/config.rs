//! One validated configuration from flags, environment, file and defaults.
//!
//! Every setting stands once in the [`catalogue`]; flag, variable, key, help and default follow from it. Each source
//! becomes a [`Layer`] of plain texts, and each setting is read once from the strongest layer that gives it, so that
//! precedence and errors are the same for all of them.

mod authority;
mod buckets;
pub mod catalogue;
mod column;
mod database;
mod database_url;
mod environment;
mod example;
mod error;
mod file;
mod following;
mod inventory;
mod layers;
mod load;
mod nearest;
mod options;
mod phase;
mod policy;
mod prices;
mod quantity;
mod redirect;
mod setting;
mod sharing;
mod throttle;

pub use authority::Authority;
pub use environment::{PASSWORD_VARIABLE, variables};
pub use error::ConfigError;
pub use example::example;
pub use file::DEFAULT_FILE;
pub use following::Watch;
pub use inventory::InventoryAddress;
pub use layers::{Layer, Origin};
pub use load::{Arguments, Command, PasswordArgument, Settings, load};
pub use options::{
    CopyOptions, FenceAction, FenceOptions, FinalizeOptions, Format, Keep, LedgerOptions, Orphans, Output,
    ResolveOptions, RollbackOptions, Verbosity, VerifyOptions,
};
pub use phase::{Part, Phase};
pub use policy::{DoctorOptions, PolicyChange, PolicyOptions};
pub use prices::Prices;
pub use redirect::{DNS_PORT, Proxy, PublicUrl, RedirectOptions, Stage, is_plain_host};
pub use setting::{Fallback, Setting, Takes, VARIABLE_PREFIX};
pub use sharing::Sharing;
pub use throttle::Throttle;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;

use crate::path::Mappings;

/// The longest name of a schema, table or column in characters (MariaDB: "Identifier Names").
pub const IDENTIFIER_CHARACTERS_MAX: usize = 64;

/// Everything that the three commands share, validated.
#[derive(Clone, Debug)]
pub struct Config {
    /// The legacy bucket.
    pub source: BucketConfig,
    /// The production bucket.
    pub target: BucketConfig,
    /// What verify and finalize read in the place of listings.
    pub inventories: Vec<InventoryAddress>,
    /// Whose certificates S3 servers are verified by; the system's if there is none.
    pub s3_authority: Option<Authority>,
    /// Where the rows are.
    pub database: DatabaseConfig,
    /// Path prefixes, key prefixes, name pattern.
    pub mappings: Mappings,
    /// Explicit references; empty means: discover them.
    pub references: Vec<ColumnName>,
    /// Columns that are counted but never moved.
    pub exclude_references: Vec<ColumnName>,
    /// How objects are copied.
    pub method: Method,
    /// How content is compared.
    pub check: CheckMode,
    /// How many requests run at once.
    pub concurrency: Concurrency,
    /// How many rows a cutover transaction takes.
    pub transaction_rows: TransactionRows,
    /// How long to wait for a lock whose holder seems dead.
    pub lock_wait: Duration,
    /// How the run is shared among all who join it; `None` if it works alone.
    pub sharing: Option<Sharing>,
    /// How long one attempt at a request may take.
    pub request_timeout: Duration,
    /// The schema of the ledger.
    pub ledger_schema: String,
    /// Where sorted runs are spilled.
    pub temp_dir: PathBuf,
    /// Sizes above this are copied in parts, in bytes.
    pub multipart_threshold: u64,
    /// The size of a part, in bytes.
    pub multipart_part_size: u64,
    /// What slows the run down.
    pub throttle: Throttle,
    /// Where metrics are served.
    pub metrics_address: Option<SocketAddr>,
    /// Whether mentions of legacy paths in longer texts block finalize.
    pub strict_mentions: bool,
}

/// One bucket and the way to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BucketConfig {
    /// The bucket's name.
    pub bucket: String,
    /// The AWS profile; it beats the environment's keys.
    pub profile: Option<String>,
    /// The region.
    pub region: Option<String>,
    /// The endpoint of an S3 server other than AWS; path-style addressing is used with it.
    pub endpoint_url: Option<String>,
}

/// Where the rows are and how to get in.
#[derive(Clone, Debug)]
pub struct DatabaseConfig {
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// A Unix socket instead of TCP.
    pub socket: Option<PathBuf>,
    /// The schema whose rows are migrated.
    pub schema: String,
    /// The user.
    pub user: String,
    /// The password; empty if there is none.
    pub password: SecretString,
    /// How TLS is used.
    pub tls: DatabaseTls,
    /// Certificate authority for `verify`.
    pub tls_ca: Option<Authority>,
    /// A server that replicates from another one is the one that the application writes to.
    pub replica_is_primary: bool,
}

impl DatabaseConfig {
    /// What stands for a database that nobody has named or asks: `policy` prints these words.
    pub(crate) fn unknown() -> Self {
        Self {
            host: String::new(),
            port: 0,
            socket: None,
            schema: "SCHEMA".to_owned(),
            user: "USER".to_owned(),
            password: SecretString::from(String::new()),
            tls: DatabaseTls::Preferred,
            tls_ca: None,
            replica_is_primary: false,
        }
    }

    /// Whether there is one to connect to.
    #[must_use]
    pub fn is_known(&self) -> bool {
        !self.host.is_empty() || self.socket.is_some()
    }
}

/// How TLS is used towards MariaDB.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum DatabaseTls {
    /// Encrypted if the server offers it; nothing is verified.
    Preferred,
    /// Encrypted or refused; nothing is verified.
    Required,
    /// Encrypted, and certificate and host name are verified.
    Verify,
}

/// `table.column`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ColumnName {
    /// The base table.
    pub table: String,
    /// The column.
    pub column: String,
}

impl std::fmt::Display for ColumnName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.table, self.column)
    }
}

/// How objects are copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Method {
    /// Server-side CopyObject; in parts above the threshold.
    Copy,
    /// GET and PUT through this machine, for two providers or identities.
    Stream,
    /// `aws s3 sync`, then the same checks.
    Sync,
}

/// How content is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum CheckMode {
    /// ETag where it proves content, else stored checksums, else the bytes.
    Auto,
    /// Always the bytes.
    Sha256,
}

impl CheckMode {
    /// Whether every byte of both twins is read, whatever their ETags say.
    #[must_use]
    pub fn reads_all(self) -> bool {
        self == Self::Sha256
    }
}

/// How many requests run at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Concurrency {
    /// Grows, and backs off on 503.
    Auto,
    /// This many.
    Fixed(usize),
}

/// How many rows a cutover transaction takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransactionRows {
    /// One transaction for all.
    All,
    /// About this many; rows of one object always move together.
    AtMost(u64),
}
