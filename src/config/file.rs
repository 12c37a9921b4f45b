//! The layer of the settings file: TOML whose keys are the names of the flags.

use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::ConfigError;
use super::catalogue;
use super::layers::{Layer, Origin};
use super::nearest::nearest;
use super::setting::{Setting, Takes};

/// The file that is read from the working directory if it is there.
pub const DEFAULT_FILE: &str = "avatarMigrate.toml";

/// Reads `text`, the content of `file`.
pub(super) fn parse(text: &str, file: &Path) -> Result<Layer, ConfigError> {
    // Only the parser's own words are shown, never the line: it may hold a password.
    let table = DeTable::parse(text).map_err(|error| {
        let line = error.span().map(|span| line_of(text, span.start)).unwrap_or(1);
        ConfigError::new(format!("{} (line {line}): {}", file.display(), error.message()))
            .hint("write one `key = value` a line; texts stand in quotes")
    })?;
    let mut entries: Vec<_> = table.get_ref().iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    let mut layer = Layer::default();
    for (key, value) in entries {
        let name = key.get_ref();
        let line = line_of(text, key.span().start);
        let origin = Origin::Key { name: name.to_string(), file: file.to_owned(), line };
        let canonical = name.replace('_', "-");
        let setting = catalogue::all().find(|setting| setting.name == canonical);
        let setting = setting.ok_or_else(|| unknown(&canonical).at(&origin))?;
        let values = values(setting, value).map_err(|error| error.at(&origin))?;
        if let Some(earlier) = layer.insert(setting.name, values, origin.clone()) {
            return Err(ConfigError::new(format!("stands there twice, also as {earlier}")).at(origin));
        }
    }
    Ok(layer)
}

fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}

fn unknown(name: &str) -> ConfigError {
    let error = ConfigError::new("is no setting");
    match name {
        "database-password" => ConfigError::new("a password does not belong into a settings file").hint(
            "name a file that only you can read with database-password-file, or set the variable \
             AVATAR_MIGRATE_DATABASE_PASSWORD",
        ),
        "config" => error.hint("a settings file cannot name another one"),
        _ => match nearest(name, catalogue::all().map(|setting| setting.name)) {
            Some(known) => error.hint(format!("did you mean `{known}`?")),
            None => error,
        },
    }
}

fn values(setting: &Setting, value: &Spanned<DeValue<'_>>) -> Result<Vec<String>, ConfigError> {
    let value = value.get_ref();
    let wrong = |expected: &str| {
        let kind = value.type_str();
        Err(ConfigError::new(format!("expects {expected}, found {} {kind}", article(kind))))
    };
    match setting.takes {
        Takes::Text | Takes::Choice(_) => match value.as_str() {
            Some(text) => Ok(vec![text.to_owned()]),
            None => wrong("a text in quotes"),
        },
        Takes::List => match (value.as_str(), value.as_array()) {
            (Some(text), _) => Ok(vec![text.to_owned()]),
            (None, Some(array)) => {
                let texts = array.iter().map(|item| item.get_ref().as_str().map(str::to_owned));
                texts.collect::<Option<_>>().map_or_else(|| wrong("nothing but texts in its array"), Ok)
            }
            (None, None) => wrong("a text or an array of texts"),
        },
        Takes::Number | Takes::Optional(_) => match (value.as_str(), value.as_integer()) {
            (Some(text), _) => Ok(vec![text.to_owned()]),
            (None, Some(integer)) => Ok(vec![integer.to_string()]),
            (None, None) => wrong("a number or a text in quotes"),
        },
        Takes::Switch(_) => match value.as_bool() {
            Some(on) => Ok(vec![on.to_string()]),
            None => wrong("true or false"),
        },
        Takes::Count => match (value.as_bool(), value.as_integer()) {
            (Some(on), _) => Ok(vec![on.to_string()]),
            (None, Some(integer)) => Ok(vec![integer.to_string()]),
            (None, None) => wrong("true, false or a number"),
        },
    }
}

fn article(noun: &str) -> &'static str {
    if noun.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> ConfigError {
        parse(text, Path::new(DEFAULT_FILE)).err().unwrap_or_else(|| panic!("{text} is taken"))
    }

    #[test]
    fn keys_are_flags_in_kebab_or_snake_case() {
        let layer = parse("source-bucket = 'a'\ntarget_bucket = 'b'\nconcurrency = 0x10\nyes = true", Path::new("x"));
        let layer = layer.expect("a layer");
        assert_eq!(layer.text(&catalogue::SOURCE_BUCKET), Some("a"));
        assert_eq!(layer.text(&catalogue::TARGET_BUCKET), Some("b"));
        assert_eq!(layer.text(&catalogue::YES), Some("true"));
    }

    #[test]
    fn unknown_keys_are_named_with_the_nearest_known_one() {
        let found = error("# settings\nsorce-bucket = 'a'");
        assert_eq!(found.message, "key `sorce-bucket` of avatarMigrate.toml (line 2): is no setting");
        assert_eq!(found.hint.as_deref(), Some("did you mean `source-bucket`?"));
        assert_eq!(
            error("[source]\nbucket = 'a'").message,
            "key `source` of avatarMigrate.toml (line 1): is no setting"
        );
        assert_eq!(error("config = 'a'").hint.as_deref(), Some("a settings file cannot name another one"));
    }

    #[test]
    fn a_password_in_the_file_is_refused_with_a_way_out() {
        for key in ["database-password", "database_password"] {
            let found = error(&format!("{key} = 'canary'"));
            let place = format!("key `{key}` of avatarMigrate.toml (line 1)");
            assert_eq!(found.message, format!("{place}: a password does not belong into a settings file"));
            assert!(found.hint.expect("a hint").contains("database-password-file"));
        }
    }

    #[test]
    fn wrong_types_are_named_with_their_line() {
        let cases = [
            ("source-bucket = 5", "source-bucket", "expects a text in quotes, found an integer"),
            ("method = true", "method", "expects a text in quotes, found a boolean"),
            ("yes = 'true'", "yes", "expects true or false, found a string"),
            ("concurrency = 1.5", "concurrency", "expects a number or a text in quotes, found a float"),
            ("reference = 5", "reference", "expects a text or an array of texts, found an integer"),
            ("reference = ['a.b', 5]", "reference", "expects nothing but texts in its array, found an array"),
            ("verbose = 'x'", "verbose", "expects true, false or a number, found a string"),
            ("[database-url]\nx = 1", "database-url", "expects a text in quotes, found a table"),
        ];
        for (text, key, what) in cases {
            assert_eq!(error(text).message, format!("key `{key}` of avatarMigrate.toml (line 1): {what}"));
        }
    }

    #[test]
    fn broken_toml_is_told_by_line_and_never_quoted() {
        for text in
            ["yes = true\ndatabase-url = 'mysql://u:canary@h/d", "\ndatabase-url = mysql://u:canary@h/d", "\n'canary"]
        {
            let found = error(text);
            assert!(found.message.starts_with("avatarMigrate.toml (line 2): "), "{found}");
            assert!(!found.message.contains("canary"), "{found}");
        }
    }

    #[test]
    fn one_setting_in_two_spellings_is_an_error() {
        let found = error("source-bucket = 'a'\nsource_bucket = 'b'");
        let earlier = "key `source-bucket` of avatarMigrate.toml (line 1)";
        let place = "key `source_bucket` of avatarMigrate.toml (line 2)";
        assert_eq!(found.message, format!("{place}: stands there twice, also as {earlier}"));
    }
}
