//! Precedence, and every error that settings can cause together.

use std::time::Duration;

use secrecy::ExposeSecret;

use super::*;
use crate::config::layers::Origin;
use crate::config::{CheckMode, DatabaseTls, Format, Method, Orphans, Prices, Verbosity};

mod database;

/// One run: flags and variables; the settings file and a password file lie in a folder of their own.
struct Run {
    command: Command,
    flags: Layer,
    variables: Vec<(OsString, OsString)>,
    password: PasswordArgument,
    directory: tempfile::TempDir,
}

impl Run {
    /// With the smallest settings that are valid.
    fn new() -> Self {
        Self::bare().flag("database-url", "mysql://u@h/d")
    }

    fn bare() -> Self {
        let directory = tempfile::tempdir().expect("a folder");
        let (flags, password) = (Layer::default(), PasswordArgument::None);
        Self { command: Command::Finalize, flags, variables: Vec::new(), password, directory }
    }

    fn flag(self, name: &str, value: &str) -> Self {
        self.flags(name, &[value])
    }

    fn flags(mut self, name: &str, values: &[&str]) -> Self {
        let values = values.iter().map(|value| (*value).to_owned()).collect();
        self.flags.insert(name, values, Origin::Flag(name.to_owned()));
        self
    }

    fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((format!("AVATAR_MIGRATE_{name}").into(), value.into()));
        self
    }

    fn file(self, text: &str) -> Self {
        self.other_file(DEFAULT_FILE, text)
    }

    fn other_file(self, name: &str, text: &str) -> Self {
        std::fs::write(self.directory.path().join(name), text).expect("a written file");
        self
    }

    fn load(self) -> Result<Settings, ConfigError> {
        let arguments = Arguments { command: self.command, flags: self.flags, password: self.password };
        load(arguments, self.variables, self.directory.path())
    }

    fn settings(self) -> Settings {
        self.load().unwrap_or_else(|error| panic!("{error} ({:?})", error.hint))
    }

    fn config(self) -> Config {
        self.settings().config
    }

    fn password(self) -> String {
        self.config().database.password.expose_secret().to_owned()
    }

    fn error(self) -> ConfigError {
        self.load().expect_err("these settings are refused")
    }
}

#[test]
fn defaults_are_those_of_the_design() {
    let Settings { config, output, copy, verify, finalize, .. } = Run::new().settings();
    assert_eq!((config.source.bucket.as_str(), config.target.bucket.as_str()), ("legacy-s3", "production-s3"));
    assert_eq!(config.mappings.all().iter().map(ToString::to_string).collect::<Vec<_>>(), ["image/ -> avatar/"]);
    assert_eq!(config.mappings.pattern().to_string(), "avatar-*");
    assert_eq!((config.method, config.check), (Method::Copy, CheckMode::Auto));
    assert_eq!((config.concurrency, config.transaction_rows), (Concurrency::Auto, TransactionRows::All));
    assert_eq!((config.lock_wait, config.ledger_schema.as_str()), (Duration::from_secs(10), "avatar_migrate"));
    assert_eq!(config.request_timeout, Duration::from_secs(60));
    assert_eq!((config.multipart_threshold, config.multipart_part_size), (5 << 30, 512 << 20));
    assert_eq!((config.database.tls, config.database.password.expose_secret()), (DatabaseTls::Preferred, ""));
    assert_eq!((config.temp_dir, config.strict_mentions), (PathBuf::from("/tmp"), false));
    assert_eq!(output, Output { format: Format::Human, log_format: Format::Human, verbosity: Verbosity::Normal });
    assert_eq!(
        copy,
        CopyOptions { dry_run: false, limit: None, only_prefix: None, watch: None, prices: Prices::LISTED }
    );
    assert_eq!(verify.report, PathBuf::from("avatarMigrate-verify.csv"));
    let expected = FinalizeOptions {
        report: None,
        orphans: None,
        orphan_min_age: Duration::from_secs(3600),
        delete_superseded: false,
        yes: false,
        grace: Duration::ZERO,
        max_delete: None,
        approved: None,
        unconditional_delete: false,
    };
    assert_eq!(finalize, expected);
}

/// A setting, three values for flag, variable and file, and how to see which one won.
type Case = (&'static str, [&'static str; 3], fn(&Settings) -> String);

#[test]
fn flags_beat_the_environment_which_beats_the_file() {
    let cases: [Case; 16] = [
        ("source-bucket", ["a", "b", "'c'"], |s| s.config.source.bucket.clone()),
        ("target-region", ["a", "b", "'c'"], |s| s.config.target.region.clone().unwrap_or_default()),
        ("concurrency", ["1", "2", "3"], |s| match s.config.concurrency {
            Concurrency::Fixed(n) => n.to_string(),
            Concurrency::Auto => "auto".to_owned(),
        }),
        ("method", ["stream", "sync", "'copy'"], |s| format!("{:?}", s.config.method).to_lowercase()),
        ("legacy-prefix", ["a/", "b/", "['c/']"], |s| {
            s.config.mappings.all().iter().map(|mapping| mapping.legacy.as_str()).collect()
        }),
        ("reference", ["a.p", "b.p", "'c.p'"], |s| s.config.references.iter().map(ToString::to_string).collect()),
        ("lock-wait", ["1s", "2s", "'3s'"], |s| format!("{:?}", s.config.lock_wait)),
        ("strict-mentions", ["false", "true", "true"], |s| s.config.strict_mentions.to_string()),
        ("temp-dir", ["a", "b", "'c'"], |s| s.config.temp_dir.display().to_string()),
        ("format", ["json", "human", "'human'"], |s| format!("{:?}", s.output.format).to_lowercase()),
        ("dry-run", ["true", "0", "false"], |s| s.copy.dry_run.to_string()),
        ("limit", ["1", "2", "3"], |s| s.copy.limit.unwrap_or_default().to_string()),
        ("report", ["a", "b", "'c'"], |s| s.finalize.report.clone().unwrap_or_default().display().to_string()),
        ("yes", ["false", "true", "true"], |s| s.finalize.yes.to_string()),
        ("orphans", ["keep", "copy", "'copy'"], |s| format!("{:?}", s.finalize.orphans == Some(Orphans::Keep))),
        ("max-delete", ["0", "2", "3"], |s| s.finalize.max_delete.unwrap_or(9).to_string()),
    ];
    for (name, [flag, variable, key], seen) in cases {
        let word = |value: &str| match (name, value.trim_matches(['\'', '[', ']'])) {
            ("orphans", word) => (word == "keep").to_string(),
            ("dry-run", "0") => "false".to_owned(),
            (_, word) => word.to_owned(),
        };
        let file = format!("{name} = {key}");
        let upper = name.to_uppercase().replace('-', "_");
        let from_file = || Run::new().file(&file);
        assert_eq!(seen(&from_file().settings()), word(key), "{name}: file");
        let from_variable = || from_file().variable(&upper, variable);
        assert_eq!(seen(&from_variable().settings()), word(variable), "{name}: variable");
        assert_eq!(seen(&from_variable().flag(name, flag).settings()), word(flag), "{name}: flag");
        assert_eq!(seen(&from_file().variable(&upper, "").settings()), word(key), "{name}: empty variable");
    }
}

#[test]
fn every_setting_can_stand_in_the_environment_and_in_the_file() {
    use crate::config::Takes;
    let authority = avatar_migrate_kit::Authority::new().expect("an authority");
    for setting in catalogue::all() {
        let (value, key) = match (setting.name, setting.takes) {
            ("database-url" | "replica-url", _) => ("mysql://u@h/d", "'mysql://u@h/d'"),
            ("database-password-file", _) => ("password", "'password'"),
            ("database-ca", _) => ("ca.pem", "'ca.pem'"),
            ("legacy-prefix" | "modern-prefix" | "legacy-key-prefix" | "modern-key-prefix", _) => ("x/", "'x/'"),
            ("reference" | "exclude-reference", _) => ("a.b", "'a.b'"),
            ("inventory", _) => ("s3://a/b/manifest.json", "'s3://a/b/manifest.json'"),
            (
                "lock-wait" | "request-timeout" | "orphan-min-age" | "grace" | "watch" | "until-empty"
                | "max-replica-lag" | "older-than" | "lease",
                _,
            ) => ("1m", "'1m'"),
            ("source-endpoint-url" | "target-endpoint-url", _) => ("http://h", "'http://h'"),
            ("metrics-address", _) => ("[::1]:9464", "'[::1]:9464'"),
            // To `redirect` it means something else.
            ("format", _) => ("json", "'json'"),
            ("principal", _) => ("111122223333", "'111122223333'"),
            (_, Takes::Text) => ("x", "'x'"),
            (_, Takes::Number | Takes::Optional(_) | Takes::Count) => ("7", "7"),
            (_, Takes::Switch(_)) => ("true", "true"),
            (_, Takes::Choice(words)) => (words.first().copied().unwrap_or_default(), ""),
            (_, Takes::List) => panic!("{} has no example", setting.name),
        };
        let key = if key.is_empty() { format!("'{value}'") } else { key.to_owned() };
        let files = || Run::new().other_file("password", "p").other_file("ca.pem", authority.pem());
        let run = || files().flag("method", "stream").flag("replica-url", "mysql://u@h/d");
        run().variable(&setting.variable().replace("AVATAR_MIGRATE_", ""), value).settings();
        run().file(&format!("{} = {key}", setting.name)).settings();
        run().file(&format!("{} = {key}", setting.name.replace('-', "_"))).settings();
    }
}

#[test]
fn the_settings_file_is_found_named_or_missing() {
    assert_eq!(Run::new().file("source-bucket = 'a'").config().source.bucket, "a");
    let named = || Run::new().file("source-bucket = 'a'").other_file("other.toml", "source-bucket = 'b'");
    assert_eq!(named().flag("config", "other.toml").config().source.bucket, "b");
    assert_eq!(named().variable("CONFIG", "other.toml").config().source.bucket, "b");
    let error = Run::new().flag("config", "none.toml").error();
    assert_eq!(error.message, "flag --config: cannot read none.toml: No such file or directory (os error 2)");
    let error = named().flag("config", "other.toml").other_file("other.toml", "method = 'x'").error();
    assert_eq!(error.message, "key `method` of other.toml (line 1): `x` is not one of copy, stream, sync");
}

#[test]
fn each_value_is_validated_where_it_stands() {
    let cases = [
        ("source-bucket", "", "is empty"),
        ("source-bucket", "s3://a/b", "`s3://a/b` is a URL; give the bare name"),
        ("target-bucket", "a/b", "`a/b` is not the name of a bucket; give the bare name"),
        ("source-endpoint-url", "ftp://h", "is not an http:// or https:// URL"),
        ("source-endpoint-url", "h:9000", "is not an http:// or https:// URL"),
        ("target-endpoint-url", "http://a:canary@h", "holds credentials"),
        ("target-endpoint-url", "http://h/?x", "holds a query or a fragment"),
        ("database-url", "h/d", "the database URL does not begin with mysql:// or mariadb://"),
        ("database-tls", "off", "`off` is not one of preferred, required, verify"),
        ("legacy-prefix", "", "a path prefix cannot be empty"),
        (
            "modern-prefix",
            "a",
            "the prefix `a` does not end with `/`, so it would also take its longer neighbours; write `a/`",
        ),
        ("legacy-prefix", "s3://x/a/", "`s3://x/a/` names the bucket `x`, but --source-bucket is `legacy-s3`"),
        ("modern-prefix", "s3://x/a/", "`s3://x/a/` names the bucket `x`, but --target-bucket is `production-s3`"),
        (
            "name-pattern",
            "a/*",
            "the name pattern holds a `/`, but it is compared with the last segment of a path only",
        ),
        ("reference", "path", "`path` is not of the form table.column"),
        ("method", "x", "`x` is not one of copy, stream, sync"),
        ("check", "md5", "`md5` is not one of auto, sha256"),
        ("concurrency", "0", "0 is less than 1"),
        ("concurrency", "many", "`many` is not a whole number"),
        ("transaction-rows", "0", "0 is less than 1"),
        ("lock-wait", "10", "`10` is not a duration"),
        ("request-timeout", "0", "is zero"),
        ("multipart-threshold", "6GiB", "`6GiB` is more than 5GiB, which is the most that S3 copies at once"),
        ("multipart-part-size", "0", "is zero"),
        ("multipart-part-size", "x", "`x` is not a size"),
        ("format", "xml", "`xml` is not one of human, json"),
        ("limit", "0", "0 is less than 1"),
        ("limit", "-1", "`-1` is not a whole number"),
        ("orphans", "drop", "`drop` is not one of copy, keep"),
        ("grace", "soon", "`soon` is not a duration"),
        ("max-delete", "x", "`x` is not a whole number"),
        ("yes", "maybe", "`maybe` is neither true nor false"),
    ];
    for (name, value, message) in cases {
        assert_eq!(Run::new().flag(name, value).error().message, format!("flag --{name}: {message}"));
    }
    let long = "x".repeat(65);
    let error = Run::new().flag("ledger-schema", &long).error().message;
    assert_eq!(error, "flag --ledger-schema: the schema's name has 65 characters; MariaDB allows 64");
    assert_eq!(Run::new().flag("ledger-schema", "d").config().ledger_schema, "d");
    let error = Run::new().variable("CONCURRENCY", "0").error().message;
    assert_eq!(error, "variable AVATAR_MIGRATE_CONCURRENCY: 0 is less than 1");
    let error = Run::new().file("\nconcurrency = 0").error().message;
    assert_eq!(error, "key `concurrency` of avatarMigrate.toml (line 2): 0 is less than 1");
}

#[test]
fn what_is_needed_and_missing_is_named_in_all_three_forms() {
    let error = Run::bare().error();
    assert_eq!(error.message, "--database-url is not given");
    let hint = "give the flag --database-url, the variable AVATAR_MIGRATE_DATABASE_URL or the key `database-url` of \
                avatarMigrate.toml";
    assert_eq!(error.hint.as_deref(), Some(hint));
    assert_eq!(Run::bare().flag("database-url", "mysql://h/d").error().message, "--database-user is not given");
}

#[test]
fn prefixes_pair_up() {
    let two = || Run::new().flags("legacy-prefix", &["image/", "/image/"]);
    let paired = || two().flags("modern-prefix", &["avatar/", "/avatar/"]);
    assert_eq!(paired().config().mappings.all().len(), 2);
    assert_eq!(two().error().message, "2 legacy prefixes but 1 modern prefix");
    let error = paired().flag("legacy-key-prefix", "x/").error().message;
    assert_eq!(error, "2 legacy prefixes but 1 times --legacy-key-prefix");
    let keys = Run::new().flag("legacy-key-prefix", "").flag("modern-key-prefix", "y/").config();
    let pair = crate::path::KeyMapping { legacy: String::new(), modern: "y/".to_owned() };
    assert_eq!(keys.mappings.key_mappings(), [pair]);
    let overlap = Run::new().flag("modern-prefix", "image/new/").error().message;
    assert_eq!(overlap, "the path prefixes `image/` and `image/new/` overlap, so a path could mean two things");
}

#[test]
fn source_and_target_must_not_be_one_place() {
    let same = || Run::new().flag("source-bucket", "b").flag("target-bucket", "b");
    assert_eq!(same().config().target.bucket, "b");
    let run = same().flag("legacy-key-prefix", "x/").flag("modern-key-prefix", "x/y/");
    assert_eq!(
        run.error().message,
        "source and target are the same bucket `b`, and the key prefixes `x/` and `x/y/` overlap"
    );
    let apart = same().flag("legacy-key-prefix", "x/").flag("modern-key-prefix", "x/").flag("method", "stream");
    assert_eq!(apart.flag("target-endpoint-url", "http://h").config().method, Method::Stream);
}

#[test]
fn only_stream_works_between_two_servers_or_identities() {
    let endpoints = || Run::new().flag("source-endpoint-url", "http://h");
    let error = endpoints().error();
    assert_eq!(error.message, "--method copy cannot work between two different endpoints");
    assert!(error.hint.expect("a hint").contains("--method stream"));
    let error = Run::new().flag("source-profile", "a").flag("target-profile", "b").flag("method", "sync").error();
    assert_eq!(error.message, "--method sync cannot work between two different profiles");
    assert_eq!(endpoints().flag("method", "stream").config().method, Method::Stream);
    assert_eq!(endpoints().flag("target-endpoint-url", "HTTP://h:80/").config().method, Method::Copy);
}

#[test]
fn a_reference_is_either_moved_or_excluded() {
    let run = Run::new().flags("reference", &["a.b", "`a`.b"]);
    assert_eq!(run.config().references.len(), 1);
    let error = Run::new().flag("reference", "a.b").variable("EXCLUDE_REFERENCE", "c.d,`a`.b").error().message;
    assert_eq!(error, "a.b is both a --reference and an --exclude-reference");
}

#[test]
fn verbose_and_quiet_are_one_setting() {
    let verbosity = |run: Run| run.settings().output.verbosity;
    assert_eq!(verbosity(Run::new().flag("verbose", "1")), Verbosity::Verbose);
    assert_eq!(verbosity(Run::new().flag("verbose", "2").variable("QUIET", "1")), Verbosity::Trace);
    assert_eq!(verbosity(Run::new().flag("quiet", "true").variable("VERBOSE", "2")), Verbosity::Quiet);
    assert_eq!(verbosity(Run::new().variable("QUIET", "no").file("verbose = true")), Verbosity::Verbose);
    assert_eq!(verbosity(Run::new().file("quiet = true")), Verbosity::Quiet);
    let error = Run::new().flag("verbose", "1").flag("quiet", "true").error().message;
    assert_eq!(error, "flag --verbose and flag --quiet contradict each other");
}

#[test]
fn the_reports_do_not_overwrite_each_other() {
    let error = Run::new().flag("report", "out.csv").flag("approved", "out.csv").error().message;
    assert_eq!(error, "--report would overwrite the file that --approved names");
    let mut run = Run::new().flag("report", "out.csv");
    run.command = Command::Migrate;
    let settings = run.settings();
    assert_eq!((settings.verify.report, settings.finalize.report), (PathBuf::from("out.csv"), None));
}

#[test]
fn the_folder_for_temporary_files_is_the_system_s() {
    let mut run = Run::new();
    run.variables.push(("TMPDIR".into(), "/var/tmp".into()));
    assert_eq!(run.config().temp_dir, PathBuf::from("/var/tmp"));
}
