//! What counts as a command, as a flag and as the one-line form, and what errors may show.

use std::path::Path;

use secrecy::ExposeSecret;

use super::*;
use crate::config::{Settings, load};

const URL: &str = "mysql://h/d";

fn parsed(words: &[&str]) -> Result<Arguments, Error> {
    parse([PROGRAM].iter().chain(words).map(OsString::from))
}

fn settings(words: &[&str]) -> Settings {
    let arguments = parsed(words).unwrap_or_else(|error| panic!("{words:?}: {error}"));
    load(arguments, [], Path::new("/nonexistent")).unwrap_or_else(|error| panic!("{words:?}: {error}"))
}

fn error(words: &[&str]) -> (i32, String) {
    let error = parsed(words).expect_err("these words are refused");
    (error.exit_code(), error.render().to_string())
}

#[test]
fn the_commands_are_sound() {
    command().debug_assert();
    one_line().debug_assert();
}

#[test]
fn flags_may_stand_anywhere() {
    let orders: [&[&str]; 3] = [
        &["--database-url", "mysql://u@h/d", "finalize", "--yes", "-vv"],
        &["finalize", "-v", "--yes", "-v", "--database-url=mysql://u@h/d"],
        &["--yes", "-vv", "--database-url", "mysql://u@h/d", "finalize"],
    ];
    for words in orders {
        let settings = settings(words);
        assert_eq!(settings.command, Command::Finalize);
        assert!(settings.finalize.yes);
        assert_eq!(settings.output.verbosity, crate::config::Verbosity::Trace);
    }
    let all = settings(&[
        "--legacy-prefix",
        "a/",
        "--modern-prefix=b/",
        "copy",
        "--legacy-prefix",
        "c/",
        "--modern-prefix",
        "d/",
        "--database-url",
        "mysql://u@h/x",
    ]);
    let pairs: Vec<String> = all.config.mappings.all().iter().map(ToString::to_string).collect();
    assert_eq!(pairs, ["a/ -> b/", "c/ -> d/"]);
}

#[test]
fn switches_can_be_turned_off() {
    let yes =
        |words: &[&str]| settings(&[&["finalize", "--database-url", "mysql://u@h/d"], words].concat()).finalize.yes;
    assert!(!yes(&[]) && yes(&["--yes"]) && !yes(&["--no-yes"]) && !yes(&["--yes", "--no-yes"]));
}

#[test]
fn five_values_are_the_one_line_form() {
    for (bucket, last) in [("legacy-s3", "sync"), ("copy", "stream"), ("help", "copy")] {
        let settings = settings(&[bucket, "t", "--yes", URL, "user", "pass", "--method", last]);
        assert_eq!(settings.command, Command::Migrate);
        assert_eq!((settings.config.source.bucket.as_str(), settings.config.target.bucket.as_str()), (bucket, "t"));
        assert_eq!(settings.config.database.user, "user");
        assert_eq!(settings.config.database.password.expose_secret(), "pass");
        assert!(settings.password_in_clear && settings.finalize.yes);
    }
}

#[test]
fn every_special_character_password_can_be_given() {
    let every: String = (' '..='~').filter(|c| !c.is_ascii_alphanumeric()).collect();
    for secret in [every.as_str(), "-secret", "--secret", "--yess=1", "-vx", "$HOME", "", " ", "a'b\"c", "ü"] {
        let found = settings(&["s", "t", URL, "user", secret, "--yes"]).config.database.password;
        assert_eq!(found.expose_secret(), secret);
        let found = settings(&["--yes", "--", "s", "t", URL, "user", secret]).config.database.password;
        assert_eq!(found.expose_secret(), secret);
    }
}

#[test]
fn a_dash_asks_for_the_password() {
    let arguments = parsed(&["s", "t", URL, "user", "-"]).expect("arguments");
    assert!(matches!(arguments.password, PasswordArgument::Ask));
    let failed = arguments.clone().asking(|| Err("no terminal"));
    assert_eq!(failed.err(), Some("no terminal"));
    let asked = arguments.asking(|| Ok::<_, Error>(SecretString::from("asked"))).expect("a password");
    let found = load(asked, [], Path::new("/nonexistent")).expect("settings");
    assert!(!found.password_in_clear);
    assert_eq!(found.config.database.password.expose_secret(), "asked");
}

#[test]
fn values_that_do_not_fit_are_counted_but_never_shown() {
    let cases: [(&[&str], &str); 6] = [
        (&["s", "t", URL, "canary"], "`s` is no command, and the one-line form takes 5 values, not 4"),
        (&["s", "t", URL, "u", "x", "canary"], "`s` is no command, and the one-line form takes 5 values, not 6"),
        (&["s", "t", URL, "u", "canary", "--methd", "copy"], "unexpected argument '--methd'"),
        (&["copy", "--database-password=canary"], "unexpected argument '--database-password'"),
        (
            &["s", "t", URL, "u", "canary", "--source-bucket", "s"],
            "SOURCE_BUCKET and --source-bucket both say the same",
        ),
        (&["s", "t", URL, "u", "canary", "--database-url", "mysql://u:canary@h/d"], "DATABASE_URL and --database-url"),
    ];
    for (words, message) in cases {
        let (exit, text) = error(words);
        assert_eq!(exit, 2, "{text}");
        assert!(text.contains(message) && text.contains("--help"), "{text}");
        assert!(!text.contains("canary"), "{text}");
    }
}

#[test]
fn usage_errors_exit_with_2_and_say_where_help_is() {
    let cases: [(&[&str], &str); 6] = [
        (&["--limit", "--database-url", "x", "copy"], "a value is required for '--limit <N>'"),
        (&["cpoy"], "unrecognized subcommand 'cpoy'"),
        (&["copy", "--dry-rn"], "a similar argument exists: '--dry-run'"),
        (&["copy", "--limit"], "a value is required for '--limit <N>'"),
        (&["verify", "--yes"], "unexpected argument '--yes'"),
        (&["copy", "more"], "unexpected argument 'more'"),
    ];
    for (words, message) in cases {
        let (exit, text) = error(words);
        assert_eq!(exit, 2, "{text}");
        assert!(text.contains(message) && text.contains("try '--help'"), "{text}");
    }
}

#[test]
fn no_words_at_all_are_answered_by_the_help_on_standard_error() {
    let error = parsed(&[]).expect_err("help");
    assert!(error.use_stderr() && error.exit_code() == 2);
    assert!(error.render().to_string().contains("Commands:"));
}

#[test]
fn help_and_version_are_no_errors() {
    let cases: [(&[&str], &str); 7] = [
        (&["--help"], "One-line form:"),
        (&["--help", "copy"], "avatarMigrate copy [OPTIONS]"),
        (&["copy", "-h"], "avatarMigrate copy [OPTIONS]"),
        (&["help", "verify"], "avatarMigrate verify [OPTIONS]"),
        (&["s", "t", "--help"], "--dry-run"),
        (&["-V"], env!("CARGO_PKG_VERSION")),
        (&["copy", "--version"], env!("CARGO_PKG_VERSION")),
    ];
    for (words, part) in cases {
        let (exit, text) = error(words);
        assert_eq!(exit, 0, "{text}");
        assert!(text.contains(part), "{words:?}: {text}");
    }
}
