//! Layers of settings, and the one way to read a setting from them: flags > environment > file > default.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use clap::ValueEnum;

use super::setting::{Fallback, Setting};
use super::{ConfigError, nearest::nearest};

/// Where a value stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// An argument of the one-line form.
    Argument(&'static str),
    /// A flag, without its dashes.
    Flag(String),
    /// An environment variable.
    Variable(String),
    /// A key of the settings file.
    Key {
        /// As it is written there.
        name: String,
        /// The file as the operator knows it.
        file: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// The catalogue.
    Default(&'static str),
}

/// How strong a value is; a smaller level wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    CommandLine,
    Environment,
    File,
    Default,
}

impl Origin {
    pub(super) fn level(&self) -> Level {
        match self {
            Self::Argument(_) | Self::Flag(_) => Level::CommandLine,
            Self::Variable(_) => Level::Environment,
            Self::Key { .. } => Level::File,
            Self::Default(_) => Level::Default,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Argument(name) => write!(f, "argument {name}"),
            Self::Flag(name) => write!(f, "flag --{name}"),
            Self::Variable(name) => write!(f, "variable {name}"),
            Self::Key { name, file, line } => write!(f, "key `{name}` of {} (line {line})", file.display()),
            Self::Default(name) => write!(f, "default of --{name}"),
        }
    }
}

/// What one layer gives for a setting. Not `Debug`, as the URL of the database may hold a password.
#[derive(Clone)]
pub(super) struct Given {
    pub(super) values: Vec<String>,
    pub(super) origin: Origin,
}

/// The settings that one source gives: the command line, the environment or a file.
#[derive(Clone, Default)]
pub struct Layer(BTreeMap<String, Given>);

impl fmt::Debug for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.values().map(|given| &given.origin)).finish()
    }
}

impl Layer {
    /// Adds a setting; gives back the place where it already stands, if it does.
    pub fn insert(&mut self, setting: &str, values: Vec<String>, origin: Origin) -> Option<Origin> {
        self.0.insert(setting.to_owned(), Given { values, origin }).map(|earlier| earlier.origin)
    }
}

/// A value and where it stands.
pub(super) struct Placed<T> {
    pub(super) value: T,
    pub(super) origin: Origin,
}

/// All layers, the strongest first.
pub(super) struct Layers(pub(super) Vec<Layer>);

impl Layers {
    /// The strongest layer's values, or the default's.
    pub(super) fn given(&self, setting: &Setting) -> Option<Given> {
        let given = self.0.iter().find_map(|layer| layer.0.get(setting.name).cloned());
        given.or_else(|| match setting.fallback {
            Fallback::Value(value) => {
                Some(Given { values: vec![value.to_owned()], origin: Origin::Default(setting.name) })
            }
            Fallback::None | Fallback::Described(_) => None,
        })
    }

    /// The value with its place, if there is one.
    pub(super) fn placed<T>(
        &self,
        setting: &Setting,
        parse: impl Fn(&str) -> Result<T, ConfigError>,
    ) -> Result<Option<Placed<T>>, ConfigError> {
        let Some(Given { values, origin }) = self.given(setting) else { return Ok(None) };
        let text = values.last().map(String::as_str).unwrap_or_default();
        let value = if text.is_empty() { Err(ConfigError::new("is empty")) } else { parse(text) };
        match value {
            Ok(value) => Ok(Some(Placed { value, origin })),
            Err(error) => Err(error.at(origin)),
        }
    }

    /// The value, if there is one.
    pub(super) fn optional<T>(
        &self,
        setting: &Setting,
        parse: impl Fn(&str) -> Result<T, ConfigError>,
    ) -> Result<Option<T>, ConfigError> {
        Ok(self.placed(setting, parse)?.map(|placed| placed.value))
    }

    /// The value; an error if there is neither one nor a default.
    pub(super) fn required<T>(
        &self,
        setting: &Setting,
        parse: impl Fn(&str) -> Result<T, ConfigError>,
    ) -> Result<T, ConfigError> {
        self.optional(setting, parse)?.ok_or_else(|| missing(setting))
    }

    /// The values of a list; none if it is given nowhere.
    pub(super) fn list<T>(
        &self,
        setting: &Setting,
        parse: impl Fn(&str) -> Result<T, ConfigError>,
    ) -> Result<Vec<T>, ConfigError> {
        let Some(Given { values, origin }) = self.given(setting) else { return Ok(Vec::new()) };
        let all: Result<Vec<T>, ConfigError> = values.iter().map(|value| parse(value)).collect();
        all.map_err(|error| error.at(origin))
    }

    /// Whether a switch is on.
    pub(super) fn switch(&self, setting: &Setting) -> Result<bool, ConfigError> {
        Ok(self.optional(setting, boolean)?.unwrap_or_default())
    }
}

/// That a setting is given nowhere.
pub(super) fn missing(setting: &Setting) -> ConfigError {
    let (name, variable) = (setting.name, setting.variable());
    ConfigError::new(format!("--{name} is not given"))
        .hint(format!("give the flag --{name}, the variable {variable} or the key `{name}` of avatarMigrate.toml"))
}

/// The text as it is.
#[expect(clippy::unnecessary_wraps, reason = "one of the parsers, which can fail")]
pub(super) fn text(text: &str) -> Result<String, ConfigError> {
    Ok(text.to_owned())
}

/// A file or folder.
#[expect(clippy::unnecessary_wraps, reason = "one of the parsers, which can fail")]
pub(super) fn path(text: &str) -> Result<PathBuf, ConfigError> {
    Ok(PathBuf::from(text))
}

/// `true`, `yes`, `1` and their opposites.
pub(super) fn boolean(text: &str) -> Result<bool, ConfigError> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "1" => Ok(true),
        "false" | "no" | "0" => Ok(false),
        _ => Err(ConfigError::new(format!("`{text}` is neither true nor false"))
            .hint("write true or false; 1, 0, yes and no are taken too")),
    }
}

/// One of the words of a type.
pub(super) fn choice<T: ValueEnum>(text: &str) -> Result<T, ConfigError> {
    T::from_str(text, true).map_err(|_| {
        let values = T::value_variants().iter().filter_map(ValueEnum::to_possible_value);
        let words: Vec<String> = values.map(|value| value.get_name().to_owned()).collect();
        let likely = nearest(text, &words).map(|word| format!("did you mean `{word}`?")).unwrap_or_default();
        ConfigError::new(format!("`{text}` is not one of {}", words.join(", "))).hint(likely)
    })
}

/// A whole number from `least` on.
pub(super) fn number(least: u64) -> impl Fn(&str) -> Result<u64, ConfigError> {
    move |text| {
        let number = text.parse().map_err(|_| ConfigError::new(format!("`{text}` is not a whole number")))?;
        if number < least { Err(ConfigError::new(format!("{number} is less than {least}"))) } else { Ok(number) }
    }
}

#[cfg(test)]
impl Layer {
    /// The last text of a setting.
    pub(super) fn text(&self, setting: &Setting) -> Option<&str> {
        self.0.get(setting.name)?.values.last().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Method, catalogue};

    #[test]
    fn words_are_taken_in_any_case_and_others_named() {
        assert_eq!(choice::<Method>("SYNC"), Ok(Method::Sync));
        let error = choice::<Method>("steam").expect_err("no method");
        assert_eq!(error.message, "`steam` is not one of copy, stream, sync");
        assert_eq!(error.hint.as_deref(), Some("did you mean `stream`?"));
    }

    #[test]
    fn booleans_have_six_words() {
        for (word, value) in [("true", true), ("1", true), ("Yes", true), ("FALSE", false), ("0", false), ("no", false)]
        {
            assert_eq!(boolean(word), Ok(value));
        }
        assert_eq!(boolean("on").expect_err("no").message, "`on` is neither true nor false");
    }

    #[test]
    fn the_debug_form_of_a_layer_holds_places_only() {
        let mut layer = Layer::default();
        let origin = Origin::Flag("database-url".to_owned());
        assert_eq!(layer.insert(catalogue::DATABASE_URL.name, vec!["mysql://u:canary@h/d".to_owned()], origin), None);
        assert_eq!(format!("{layer:?}"), "{Flag(\"database-url\")}");
    }
}
