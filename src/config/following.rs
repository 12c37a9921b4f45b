//! Which part of the work `copy` takes, and whether it follows an application that still writes legacy paths.

use std::time::Duration;

use super::layers::{Layers, text};
use super::quantity::duration;
use super::{Command, ConfigError, Method, catalogue};
use crate::path::Mappings;

/// How `copy` follows an application that still writes legacy paths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watch {
    /// How often it looks.
    pub every: Duration,
    /// It ends when none came for so long; `None`: when it is interrupted.
    pub until_empty: Option<Duration>,
}

/// Reads `--watch` and `--until-empty`. Only for commands that copy: `status` has a `--watch` of its own.
pub(super) fn watch(layers: &Layers, command: Command) -> Result<Option<Watch>, ConfigError> {
    if !copies(command) {
        return Ok(None);
    }
    let until_empty = layers.placed(&catalogue::UNTIL_EMPTY, some_time)?;
    let Some(every) = layers.placed(&catalogue::WATCH, some_time)? else {
        return match until_empty {
            None => Ok(None),
            Some(until_empty) => {
                Err(ConfigError::new("ends a watch, and there is none").at(until_empty.origin).hint("add --watch 30s"))
            }
        };
    };
    if command == Command::Migrate && until_empty.is_none() {
        let error = ConfigError::new("copy would never end, and verify and finalize never begin").at(every.origin);
        return Err(error.hint("add --until-empty 5m"));
    }
    for part in [catalogue::LIMIT, catalogue::ONLY_PREFIX] {
        if let Some(part) = layers.placed(&part, text)? {
            let error = ConfigError::new(format!("contradicts the {}", part.origin)).at(every.origin);
            return Err(error.hint("try a part of the migration first, then watch all of it"));
        }
    }
    Ok(Some(Watch { every: every.value, until_empty: until_empty.map(|placed| placed.value) }))
}

/// Reads `--only-prefix`.
pub(super) fn only_prefix(
    layers: &Layers,
    command: Command,
    (mappings, method): (&Mappings, Method),
) -> Result<Option<String>, ConfigError> {
    if !copies(command) {
        return Ok(None);
    }
    let Some(only) = layers.placed(&catalogue::ONLY_PREFIX, text)? else { return Ok(None) };
    let keys: Vec<&str> = mappings.key_mappings().iter().map(|keys| keys.legacy.as_str()).collect();
    if !keys.iter().any(|legacy| only.value.starts_with(legacy) || legacy.starts_with(&only.value)) {
        let within = keys.iter().map(|legacy| format!("`{legacy}`")).collect::<Vec<_>>().join(" or ");
        let error = ConfigError::new(format!("no legacy key begins with `{}`", only.value)).at(only.origin);
        return Err(error.hint(format!("give a prefix of keys in the legacy bucket, which begin with {within}")));
    }
    if method == Method::Sync {
        let error = ConfigError::new("the AWS CLI copies whole prefixes").at(only.origin);
        return Err(error.hint("use --method copy or stream for a part of them"));
    }
    Ok(Some(only.value))
}

fn copies(command: Command) -> bool {
    match command {
        Command::Copy | Command::Migrate => true,
        Command::Verify
        | Command::Finalize
        | Command::Rollback
        | Command::Doctor
        | Command::Policy
        | Command::Fence
        | Command::Resolve
        | Command::Explain
        | Command::Ledger
        | Command::Redirect
        | Command::Status => false,
    }
}

/// A time that is to pass: without any, a request could never succeed, and looks would never end.
pub(super) fn some_time(text: &str) -> Result<Duration, ConfigError> {
    let time = duration(text)?;
    if time.is_zero() { Err(ConfigError::new("is zero")) } else { Ok(time) }
}
