//! User, password and TLS, each of which may stand in several places.

use super::*;

#[test]
fn the_strongest_password_wins() {
    let url = |run: Run| run.flag("database-url", "mysql://u:url@h/d");
    let file = || Run::bare().other_file("p", "file\n").other_file("q", "key\r\n").file("database-password-file = 'q'");
    assert_eq!(url(file()).password(), "url");
    assert_eq!(file().flag("database-url", "mysql://u@h/d").password(), "key");
    let in_file = "database-url = 'mysql://u:url@h/d'\n";
    assert_eq!(Run::bare().file(in_file).password(), "url");
    assert_eq!(file().file(&format!("{in_file}database-password-file = 'q'")).password(), "key");
    assert_eq!(url(file()).variable("DATABASE_PASSWORD", "variable").password(), "variable");
    assert_eq!(url(file()).variable("DATABASE_PASSWORD_FILE", "p").password(), "file");
    let flag = || url(file()).variable("DATABASE_PASSWORD", "variable").flag("database-password-file", "p");
    assert_eq!(flag().password(), "file");
    let mut asked = url(file()).variable("DATABASE_PASSWORD", "variable");
    asked.password = PasswordArgument::Asked("asked".into());
    assert_eq!(asked.password(), "asked");
    assert_eq!(Run::new().other_file("p", "two\n\n").flag("database-password-file", "p").password(), "two\n");
}

#[test]
fn passwords_at_one_level_contradict_each_other() {
    let variables = Run::new().variable("DATABASE_PASSWORD", "canary").variable("DATABASE_PASSWORD_FILE", "p").error();
    let expected = "variable AVATAR_MIGRATE_DATABASE_PASSWORD and variable AVATAR_MIGRATE_DATABASE_PASSWORD_FILE both \
                    give a password";
    assert_eq!(variables.message, expected);
    let mut clear = Run::new().flag("database-password-file", "p");
    clear.password = PasswordArgument::Clear("canary".into());
    let expected = "argument DATABASE_PASSWORD and flag --database-password-file both give a password";
    assert_eq!(clear.error().message, expected);
    let mut run = Run::new().flag("database-password-file", "none").error().message;
    run.truncate("flag --database-password-file: cannot read /".len());
    assert_eq!(run, "flag --database-password-file: cannot read /");
}

#[test]
fn the_user_beats_the_one_in_a_url_that_is_not_stronger() {
    let user = |run: Run| run.config().database.user;
    assert_eq!(user(Run::new()), "u");
    assert_eq!(user(Run::new().flag("database-user", "v")), "v");
    assert_eq!(user(Run::new().variable("DATABASE_USER", "v")), "u");
    assert_eq!(user(Run::bare().flag("database-url", "mysql://h/d").variable("DATABASE_USER", "v")), "v");
    assert_eq!(user(Run::bare().file("database-url = 'mysql://u@h/d'\ndatabase-user = 'v'")), "v");
}

#[test]
fn tls_may_stand_in_the_url() {
    let url = |mode: &str| Run::bare().flag("database-url", &format!("mysql://u@h/d?ssl-mode={mode}"));
    assert_eq!(url("REQUIRED").config().database.tls, DatabaseTls::Required);
    assert_eq!(url("VERIFY_CA").flag("database-tls", "verify").config().database.tls, DatabaseTls::Verify);
    let error = url("REQUIRED").variable("DATABASE_TLS", "verify").error().message;
    assert_eq!(error, "variable AVATAR_MIGRATE_DATABASE_TLS: contradicts the ssl-mode in the database URL");
}

#[test]
fn an_authority_is_read_and_means_to_verify() {
    let authority = avatar_migrate_kit::Authority::new().expect("an authority");
    let run = |parameters: &str| {
        let url = format!("mysql://u@h/d?{parameters}");
        Run::bare().other_file("ca.pem", authority.pem()).other_file("none.pem", "").flag("database-url", &url)
    };
    for run in [run("").flag("database-ca", "ca.pem"), run("ssl-ca=ca.pem"), run("").file("database-ca = 'ca.pem'")] {
        let database = run.config().database;
        assert_eq!(database.tls, DatabaseTls::Verify);
        assert_eq!(database.tls_ca.expect("an authority").pem(), authority.pem().as_bytes());
    }
    run("ssl-mode=VERIFY_CA&ssl-ca=ca.pem").flag("database-ca", "ca.pem").config();
    let error = run("ssl-ca=ca.pem").flag("database-ca", "none.pem").error().message;
    assert_eq!(error, "flag --database-ca: contradicts the ssl-ca in the database URL");
    for idle in [
        run("ssl-mode=REQUIRED").flag("database-ca", "ca.pem"),
        run("ssl-ca=ca.pem").file("database-tls = 'preferred'"),
    ] {
        assert!(idle.error().message.contains("nothing is verified by it"));
    }
    let error = run("").flag("database-ca", "none.pem").error().message;
    assert!(error.starts_with("flag --database-ca: ") && error.ends_with("none.pem holds no certificate"), "{error}");
}

#[test]
fn an_authority_for_s3_is_read() {
    let authority = avatar_migrate_kit::Authority::new().expect("an authority");
    let mut run = Run::new().other_file("ca.pem", authority.pem());
    run.variables.push(("AWS_CA_BUNDLE".into(), "ca.pem".into()));
    assert_eq!(run.config().s3_authority.expect("an authority").pem(), authority.pem().as_bytes());
    let mut run = Run::new();
    run.variables.push(("AWS_CA_BUNDLE".into(), "/no/such/file".into()));
    assert!(run.error().message.starts_with("variable AWS_CA_BUNDLE: cannot read /no/such/file"));
}

#[test]
fn no_secret_stands_in_any_debug_form() {
    let mut run = Run::bare().flag("database-url", "mysql://u:canary@h/d").variable("DATABASE_PASSWORD", "canary");
    run.password = PasswordArgument::Clear("canary".into());
    let arguments = Arguments { command: run.command, flags: run.flags.clone(), password: run.password.clone() };
    assert!(!format!("{arguments:?}").contains("canary"));
    let settings = run.settings();
    assert!(settings.password_in_clear);
    assert!(!format!("{settings:?}").contains("canary"));
}
