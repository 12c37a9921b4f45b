//! Arguments, variables and a settings file of any content give settings or an error, never a panic, and never say
//! a password.
#![no_main]

use std::ffi::OsString;
use std::sync::LazyLock;

use avatar_migrate::cli::arguments;
use avatar_migrate::config;
use libfuzzer_sys::fuzz_target;

const PASSWORD: &str = "planted-canary";

static DIRECTORY: LazyLock<tempfile::TempDir> = LazyLock::new(|| tempfile::tempdir().expect("a directory"));

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    // Three parts with an empty line between: arguments, variables as NAME=value, the file.
    let mut parts = text.splitn(3, "\n\n");
    let mut part = || parts.next().unwrap_or_default();
    let (words, variables, file) = (part(), part(), part());
    // Devices and other files of this machine are no settings.
    if words.contains("/dev") || variables.contains("/dev") || file.contains("/dev") {
        return;
    }
    let with_password = |text: &str| OsString::from(text.replace('§', PASSWORD));
    let words = std::iter::once("avatarMigrate".into()).chain(words.lines().map(with_password));
    let Ok(parsed) = arguments::parse(words) else { return };
    assert!(!format!("{:?}", parsed.password).contains(PASSWORD));
    std::fs::write(DIRECTORY.path().join(config::DEFAULT_FILE), file).expect("a file");
    let variables = variables.lines().filter_map(|line| line.split_once('='));
    let variables =
        variables.map(|(name, value)| (OsString::from(format!("AVATAR_MIGRATE_{name}")), with_password(value)));
    match config::load(parsed, variables, DIRECTORY.path()) {
        Ok(settings) => assert!(!format!("{:?}", settings.config.database.password).contains(PASSWORD)),
        Err(error) => assert!(!error.message.is_empty()),
    }
});
