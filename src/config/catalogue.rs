//! Every setting, once.

use super::setting::{Setting, Takes};

/// Settings that belong together under one heading of the help.
#[derive(Clone, Copy, Debug)]
pub struct Group {
    /// The heading; `None` for the settings of one command, which stand first.
    pub heading: Option<&'static str>,
    /// The settings in the order of the help.
    pub settings: &'static [Setting],
}

/// Declares settings as constants, and the groups that hold them, so that none can be forgotten.
macro_rules! groups {
    ($($(#[$doc:meta])* $group:ident($heading:expr) { $($setting:ident = $value:expr;)* })*) => {
        $($(
            #[doc = concat!("`--", stringify!($setting), "` in lower case with dashes.")]
            pub const $setting: Setting = $value;
        )*)*
        $($(#[$doc])* pub const $group: Group = Group { heading: $heading, settings: &[$($setting),*] };)*
    };
}

mod of_commands;

pub use of_commands::*;

/// What all commands share.
pub const SHARED: &[Group] = &[BUCKETS, DATABASE, PATHS, COPYING, RUNNING, OUTPUT];

/// The settings of single commands.
pub const OF_COMMANDS: &[Group] =
    &[COPY, VERIFY, FINALIZE, ROLLBACK, DOCTOR, POLICY, FENCE, REDIRECT, RESOLVE, STATUS, EXPLAIN, LEDGER];

/// The settings of the commands that the one-line form runs.
pub const OF_ONE_LINE: &[Group] = &[COPY, VERIFY, FINALIZE];

/// Every setting that has a flag, a variable and a key: all but `--config`. A setting of two commands comes twice.
pub fn all() -> impl Iterator<Item = &'static Setting> {
    OF_COMMANDS.iter().chain(SHARED).flat_map(|group| group.settings)
}

/// The setting file itself, which cannot be named in a file.
pub const CONFIG: Setting = Setting::new("config", Takes::Text, "FILE")
    .help("The file with settings; its keys are the names of the flags")
    .described("avatarMigrate.toml, if the working directory has one");

const TLS_MODES: &[&str] = &["preferred", "required", "verify"];

groups! {
    /// Where objects are.
    BUCKETS(Some("Buckets")) {
        SOURCE_BUCKET = Setting::new("source-bucket", Takes::Text, "NAME")
            .help("The legacy bucket, which objects leave")
            .default("legacy-s3");
        TARGET_BUCKET = Setting::new("target-bucket", Takes::Text, "NAME")
            .help("The production bucket, which objects enter")
            .default("production-s3");
        SOURCE_PROFILE = Setting::new("source-profile", Takes::Text, "PROFILE")
            .help("AWS profile for the legacy bucket")
            .described("the AWS chain: AWS_PROFILE, keys, SSO, instance role");
        SOURCE_REGION = Setting::new("source-region", Takes::Text, "REGION")
            .help("Region of the legacy bucket")
            .described("the AWS chain");
        SOURCE_ENDPOINT_URL = Setting::new("source-endpoint-url", Takes::Text, "URL")
            .help("S3 server of the legacy bucket, if not AWS; buckets are then addressed by path")
            .described("the AWS chain: AWS_ENDPOINT_URL_S3");
        TARGET_PROFILE = Setting::new("target-profile", Takes::Text, "PROFILE")
            .help("AWS profile for the production bucket")
            .described("the AWS chain: AWS_PROFILE, keys, SSO, instance role");
        TARGET_REGION = Setting::new("target-region", Takes::Text, "REGION")
            .help("Region of the production bucket")
            .described("the AWS chain");
        TARGET_ENDPOINT_URL = Setting::new("target-endpoint-url", Takes::Text, "URL")
            .help("S3 server of the production bucket, if not AWS")
            .described("the AWS chain: AWS_ENDPOINT_URL_S3");
        INVENTORY = Setting::new("inventory", Takes::List, "s3://BUCKET/…/manifest.json")
            .help("For verify and finalize: read this S3 Inventory instead of listing the bucket that it describes; once for each bucket")
            .described("both buckets are listed");
    }

    /// Where rows are.
    DATABASE(Some("Database")) {
        DATABASE_URL = Setting::new("database-url", Takes::Text, "URL")
            .help("mysql://USER@HOST:PORT/SCHEMA or mariadb://…; parameters: ssl-mode, ssl-ca, socket");
        DATABASE_USER = Setting::new("database-user", Takes::Text, "USER")
            .help("The user of the database")
            .described("the one in the URL");
        DATABASE_PASSWORD_FILE = Setting::new("database-password-file", Takes::Text, "FILE")
            .help(
                "A file that holds the password; the variable AVATAR_MIGRATE_DATABASE_PASSWORD takes the \
                 password itself",
            )
            .described("the password in the URL");
        DATABASE_TLS = Setting::new("database-tls", Takes::Choice(TLS_MODES), "preferred|required|verify")
            .help(
                "Whether the connection must be encrypted (required), and certificate and host name \
                 verified too (verify)",
            )
            .default("preferred");
        DATABASE_CA = Setting::new("database-ca", Takes::Text, "FILE")
            .help("Certificate authority of the database, PEM; implies `--database-tls verify`")
            .described("the public ones (Mozilla's list)");
        REPLICA_IS_PRIMARY = Setting::new("replica-is-primary", Takes::Switch("no-replica-is-primary"), "")
            .help("The server replicates from another one, and the application writes to it all the same (circular replication)");
        LEDGER_SCHEMA = Setting::new("ledger-schema", Takes::Text, "NAME")
            .help("The schema in which the program keeps its journal; made if it does not exist")
            .default("avatar_migrate");
    }

    /// What is moved.
    PATHS(Some("Paths")) {
        LEGACY_PREFIX = Setting::new("legacy-prefix", Takes::List, "PREFIX")
            .help(
                "What legacy paths begin with: image/, /image/, https://host/image/ or s3://bucket/image/; \
                 repeatable, paired with --modern-prefix by order",
            )
            .default("image/");
        MODERN_PREFIX = Setting::new("modern-prefix", Takes::List, "PREFIX")
            .help("What takes its place")
            .default("avatar/");
        LEGACY_KEY_PREFIX = Setting::new("legacy-key-prefix", Takes::List, "PREFIX")
            .help("What the keys of the legacy bucket begin with, one for each legacy prefix; may be empty")
            .described("the path part of the legacy prefix");
        MODERN_KEY_PREFIX = Setting::new("modern-key-prefix", Takes::List, "PREFIX")
            .help("What the keys of the production bucket begin with, one for each modern prefix")
            .described("the path part of the modern prefix");
        NAME_PATTERN = Setting::new("name-pattern", Takes::Text, "GLOB")
            .help("Which names, the part after the last slash, belong to the migration; `*` takes all")
            .default("avatar-*");
        REFERENCE = Setting::new("reference", Takes::List, "TABLE.COLUMN")
            .help("A column that stores paths; repeatable")
            .described("every text column that holds at least one");
        EXCLUDE_REFERENCE = Setting::new("exclude-reference", Takes::List, "TABLE.COLUMN")
            .help("A column that is counted but never changed; repeatable")
            .described("none");
        STRICT_MENTIONS = Setting::new("strict-mentions", Takes::Switch("no-strict-mentions"), "")
            .help("Let legacy paths inside longer texts block finalize, instead of a warning");
    }

    /// How objects are copied.
    COPYING(Some("Copying")) {
        METHOD = Setting::new("method", Takes::Choice(&["copy", "stream", "sync"]), "copy|stream|sync")
            .help(
                "copy: inside S3; stream: through this machine, for two providers or identities; sync: `aws \
                 s3 sync`, then the same checks",
            )
            .default("copy");
        CHECK = Setting::new("check", Takes::Choice(&["auto", "sha256"]), "auto|sha256")
            .help(
                "auto: ETags where they prove content, else stored checksums, else the bytes; sha256: \
                 always the bytes",
            )
            .default("auto");
        CONCURRENCY = Setting::new("concurrency", Takes::Number, "N|auto")
            .help("How many requests run at once; auto grows, and backs off when the server is busy")
            .default("auto");
        MULTIPART_THRESHOLD = Setting::new("multipart-threshold", Takes::Number, "SIZE")
            .help("Objects above this size are copied in parts; S3 copies at most 5GiB at once")
            .default("5GiB");
        MULTIPART_PART_SIZE = Setting::new("multipart-part-size", Takes::Number, "SIZE")
            .help("The size of a part")
            .default("512MiB");
    }

    /// How the program shares the database and the machine.
    RUNNING(Some("Running")) {
        TRANSACTION_ROWS = Setting::new("transaction-rows", Takes::Number, "N|all")
            .help("How many rows a transaction moves; a number is for tables where one transaction cannot serve")
            .default("all");
        LOCK_WAIT = Setting::new("lock-wait", Takes::Number, "DURATION")
            .help("How long to wait for another run that seems dead; a live one is never waited for")
            .default("10s");
        WORKERS = Setting::new("workers", Takes::Choice(&["alone", "join"]), "alone|join")
            .help("Do the work alone, or join all who run the same command with the same settings, on any machine")
            .default("alone");
        LEASE = Setting::new("lease", Takes::Number, "DURATION")
            .help("How long a joined worker may be silent before the others take over what it was at")
            .default("30s");
        RANGE_OBJECTS = Setting::new("range-objects", Takes::Number, "N")
            .help("How many objects a joined worker takes at a time")
            .described("a 64th of the work, from 1000 to 50000");
        REQUEST_TIMEOUT = Setting::new("request-timeout", Takes::Number, "DURATION")
            .help("How long S3 may take to answer before a request is sent again; transfers get a second more per MiB")
            .default("60s");
        MAX_REQUESTS_PER_SECOND = Setting::new("max-requests-per-second", Takes::Number, "N")
            .help("Send at most so many requests to S3 a second, both buckets together; the AWS CLI is not bound by it")
            .described("as many as --concurrency makes");
        REPLICA_URL = Setting::new("replica-url", Takes::List, "URL")
            .help("A replica of the database, like --database-url; wait while it is behind, or does not replicate; repeatable")
            .described("none");
        MAX_REPLICA_LAG = Setting::new("max-replica-lag", Takes::Number, "DURATION")
            .help("How far a replica may be behind")
            .described("5s, if a replica is named");
        MAX_RUNNING_THREADS = Setting::new("max-running-threads", Takes::Number, "N")
            .help("Wait while more threads of the database are at work (Threads_running)")
            .described("no limit");
        PAUSE_FILE = Setting::new("pause-file", Takes::Text, "FILE")
            .help("Wait while this file exists; SIGUSR1 makes a run wait, and go on, too")
            .described("none");
        TEMP_DIR = Setting::new("temp-dir", Takes::Text, "DIR")
            .help("Where verify sorts what does not fit into memory")
            .described("the system's");
    }

    /// What is printed.
    OUTPUT(Some("Output")) {
        FORMAT = Setting::new("format", Takes::Choice(&["human", "json"]), "human|json")
            .help("The summary on standard output")
            .default("human");
        LOG_FORMAT = Setting::new("log-format", Takes::Choice(&["human", "json"]), "human|json")
            .help("Logs and progress on standard error")
            .default("human");
        METRICS_ADDRESS = Setting::new("metrics-address", Takes::Text, "ADDRESS")
            .help("Serve metrics for Prometheus while the command lasts, for example at 127.0.0.1:9464")
            .described("none");
        VERBOSE = Setting::new("verbose", Takes::Count, "")
            .help("Say more; twice for every request")
            .short('v');
        QUIET = Setting::new("quiet", Takes::Switch("no-quiet"), "")
            .help("Say only what is wrong")
            .short('q');
    }
}

#[cfg(test)]
mod tests;
