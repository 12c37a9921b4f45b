//! Every setting, once.

use super::phase::{PARTS, PHASES};
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

const PROXIES: &[&str] = &["nginx", "haproxy", "cloudfront", "s3"];

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

    /// The flags of `copy`.
    COPY(None) {
        DRY_RUN = Setting::new("dry-run", Takes::Switch("no-dry-run"), "")
            .help("Only plan and forecast: nothing is written, locked or copied");
        LIMIT = Setting::new("limit", Takes::Number, "N")
            .help("Move at most this many objects")
            .described("all");
        ONLY_PREFIX = Setting::new("only-prefix", Takes::Text, "PREFIX")
            .help("Move only rows whose object's key in the legacy bucket begins with this")
            .described("all");
        WATCH = Setting::new("watch", Takes::Number, "DURATION")
            .help("Go on after the end: look so often for rows that the application still writes with legacy paths, and move them")
            .described("off");
        UNTIL_EMPTY = Setting::new("until-empty", Takes::Number, "DURATION")
            .help("End the watch when no legacy row came for this long")
            .described("the watch lasts until it is interrupted");
        PRICE_COPY = Setting::new("price-copy", Takes::Number, "USD")
            .help("For the forecast: what S3 asks for 1,000 PUT, COPY, POST or LIST requests")
            .default("0.005");
        PRICE_READ = Setting::new("price-read", Takes::Number, "USD")
            .help("For the forecast: what S3 asks for 1,000 GET or HEAD requests")
            .default("0.0004");
        PRICE_TRANSFER = Setting::new("price-transfer", Takes::Number, "USD")
            .help("For the forecast: what a gigabyte costs on its way; between regions of AWS about 0.02")
            .default("0");
    }

    /// The flags of `verify`.
    VERIFY(None) {
        REPORT = Setting::new("report", Takes::Text, "FILE")
            .help("Where the report goes, CSV")
            .default("avatarMigrate-verify.csv");
        HTML = Setting::new("html", Takes::Text, "FILE")
            .help("Where a page that shows the report goes, HTML: one file that opens offline, with a few pictures of both buckets")
            .described("none");
    }

    /// The flags of `finalize`.
    FINALIZE(None) {
        FINAL_REPORT = Setting::new("report", Takes::Text, "FILE")
            .help("Where the final report goes, CSV")
            .described("avatarMigrate-final-RUN.csv");
        ORPHANS = Setting::new("orphans", Takes::Choice(&["copy", "keep"]), "copy|keep")
            .help("Objects that no row names: copy and check them like any other, or keep them where they are")
            .described("copy, refused when they are more than a fifth of all");
        ORPHAN_MIN_AGE = Setting::new("orphan-min-age", Takes::Number, "DURATION")
            .help("Younger orphans are left: their rows may still be on the way")
            .default("1h");
        DELETE_SUPERSEDED = Setting::new("delete-superseded", Takes::Switch("no-delete-superseded"), "")
            .help("Delete sources, too, whose modern object the application has replaced since");
        YES = Setting::new("yes", Takes::Switch("no-yes"), "")
            .help("Delete without asking");
        GRACE = Setting::new("grace", Takes::Number, "DURATION")
            .help("Refuse until this long after the first clean verify")
            .default("0s");
        MAX_DELETE = Setting::new("max-delete", Takes::Number, "N")
            .help("Refuse to delete more than this many objects")
            .described("no limit");
        APPROVED = Setting::new("approved", Takes::Text, "FILE")
            .help("Refuse when more would be deleted than this report of verify lists")
            .described("none");
        UNCONDITIONAL_DELETE = Setting::new("unconditional-delete", Takes::Switch("no-unconditional-delete"), "")
            .help("Where the server has no conditional deletes, compare right before each delete instead of refusing");
    }

    /// The flags of `rollback`.
    ROLLBACK(None) {
        RESTORE_OBJECTS = Setting::new("restore-objects", Takes::Switch("no-restore-objects"), "")
            .help("After finalize: copy deleted legacy objects back first, where production still holds what was checked");
        ROLLBACK_DRY_RUN = Setting::new("dry-run", Takes::Switch("no-dry-run"), "")
            .help("Only look and count: nothing is written, locked or copied");
        ROLLBACK_YES = Setting::new("yes", Takes::Switch("no-yes"), "")
            .help("Roll back without asking");
        HOLDER_IS_DEAD = Setting::new("holder-is-dead", Takes::Switch("no-holder-is-dead"), "")
            .help("The process of an unfinished finalize is known to be gone: do not wait until its last requests expire");
    }

    /// The flags of `doctor`.
    DOCTOR(None) {
        ATTACH_POLICY = Setting::new("attach-policy", Takes::Switch("no-attach-policy"), "")
            .help("Let the identity of the production bucket into the legacy bucket of another account: merge statements into its policy");
        DETACH_POLICY = Setting::new("detach-policy", Takes::Switch("no-detach-policy"), "")
            .help("Take these statements out of the legacy bucket's policy again");
        DOCTOR_FOR = Setting::new("for", Takes::Choice(PHASES), "COMMAND")
            .help("With --attach-policy: for which command; finalize may delete, copy may not")
            .default("copy");
        DOCTOR_PRINCIPAL = Setting::new("principal", Takes::Text, "ARN")
            .help("With --attach-policy: whom to let in, a user, a role or an account")
            .described("the identity that copies");
        DOCTOR_YES = Setting::new("yes", Takes::Switch("no-yes"), "")
            .help("Change the policy without asking");
    }

    /// The flags of `policy`.
    POLICY(None) {
        FOR = Setting::new("for", Takes::Choice(PHASES), "COMMAND")
            .help("For this command alone: doctor, verify (also `explain` and `copy --dry-run`), copy, fence, finalize, rollback, restore (`rollback --restore-objects`), resolve, prune (`ledger prune`) or status")
            .described("all of them");
        ONLY = Setting::new("only", Takes::Choice(PARTS), "PART")
            .help("Print this document alone, to be piped on: iam, iam-source, iam-target, source-bucket, target-bucket, source-key, target-key or grants")
            .described("all of them, with headings");
        PRINCIPAL = Setting::new("principal", Takes::Text, "ARN")
            .help("Whom bucket and key policies let in: the ARN of a user or role, or an account")
            .described("a placeholder");
    }

    /// The flags of `fence`.
    FENCE(None) {
        APPLY = Setting::new("apply", Takes::Switch("no-apply"), "")
            .help("Set the fence up, instead of only printing its SQL");
        DROP = Setting::new("drop", Takes::Switch("no-drop"), "")
            .help("Take the fence of these mappings and this pattern away, constraints and triggers");
        TRIGGER = Setting::new("trigger", Takes::Switch("no-trigger"), "")
            .help("Triggers before INSERT and UPDATE instead of CHECK constraints: no table is copied");
        FENCE_YES = Setting::new("yes", Takes::Switch("no-yes"), "")
            .help("Set it up without asking");
    }

    /// The flags of `redirect`.
    REDIRECT(None) {
        REDIRECT_FORMAT = Setting::new("format", Takes::Choice(PROXIES), "nginx|haproxy|cloudfront|s3")
            .help("What the configuration is for; one of them has to be given");
        STAGE = Setting::new("stage", Takes::Choice(&["dual-read", "redirect"]), "dual-read|redirect")
            .help(
                "dual-read: each URL, legacy or modern, gets its object from production, else from the legacy \
                 bucket; redirect: the same, but legacy URLs are sent on to modern ones",
            )
            .default("dual-read");
        LEGACY_URL = Setting::new("legacy-url", Takes::Text, "URL")
            .help("What legacy paths are appended to in public, such as https://www.example.org/")
            .described("the root of any host");
        MODERN_URL = Setting::new("modern-url", Takes::Text, "URL")
            .help("What modern paths are appended to in public; redirects lead there")
            .described("the root of the same host");
        LISTEN = Setting::new("listen", Takes::Text, "ADDRESS:PORT")
            .help("Where nginx or HAProxy listens; TLS ends in front of it")
            .default("127.0.0.1:8080");
        RESOLVER = Setting::new("resolver", Takes::Text, "ADDRESS")
            .help("The name server that nginx asks for the addresses of the buckets, which change")
            .described("the first one of /etc/resolv.conf");
    }

    /// The flags of `resolve`.
    RESOLVE(None) {
        KEY = Setting::new("key", Takes::Text, "KEY")
            .help("The source's key or a row's path; as a rule given without the flag");
        KEEP = Setting::new("keep", Takes::Choice(&["source", "target"]), "source|target")
            .help("Which of the two stays: source replaces the target's bytes, target leaves them");
        RESOLVE_YES = Setting::new("yes", Takes::Switch("no-yes"), "")
            .help("Settle it without asking");
    }

    /// The flags of `explain`.
    EXPLAIN(None) {
        EXPLAIN_KEY = Setting::new("key", Takes::Text, "KEY")
            .help("An object's key in either bucket, or a path as a row holds it; as a rule given without the flag");
    }

    /// The flags of `ledger`.
    LEDGER(None) {
        OLDER_THAN = Setting::new("older-than", Takes::Number, "DURATION")
            .help("Forget what runs have left that began longer ago than this, such as 90d");
        LEDGER_DRY_RUN = Setting::new("dry-run", Takes::Switch("no-dry-run"), "")
            .help("Only count: nothing is forgotten");
        LEDGER_YES = Setting::new("yes", Takes::Switch("no-yes"), "")
            .help("Forget without asking");
    }

    /// The flags of `status`.
    STATUS(None) {
        STATUS_WATCH = Setting::new("watch", Takes::Optional("2s"), "DURATION")
            .help("Look again so often, until no run is at work; 2s if the flag stands alone")
            .described("off");
    }
}

#[cfg(test)]
mod tests;
