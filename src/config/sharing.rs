//! Whether a run is shared among all who join it.

use std::time::Duration;

use clap::ValueEnum;

use super::following::some_time;
use super::layers::{Layers, choice, number, text};
use super::{Command, ConfigError, Method, catalogue};

/// How a run is shared among all who join it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sharing {
    /// A worker that is silent for so long loses what it was at.
    pub lease: Duration,
    /// How many objects a worker takes at a time; `None`: as many as the work is large.
    pub range_objects: Option<u64>,
}

/// The words of `--workers`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Workers {
    Alone,
    Join,
}

/// Reads it; `None` for a run that works alone.
pub(super) fn sharing(layers: &Layers, command: Command, method: Method) -> Result<Option<Sharing>, ConfigError> {
    let workers = layers.placed(&catalogue::WORKERS, choice::<Workers>)?;
    let lease = layers.required(&catalogue::LEASE, some_time)?;
    let range_objects = layers.optional(&catalogue::RANGE_OBJECTS, number(1))?;
    let Some(workers) = workers.filter(|workers| workers.value == Workers::Join && shares(command)) else {
        return Ok(None);
    };
    if method == Method::Sync {
        let error = ConfigError::new("the AWS CLI copies whole prefixes by itself").at(workers.origin);
        return Err(error.hint("use --method copy or stream to share the work"));
    }
    if let Some(limit) = layers.placed(&catalogue::LIMIT, text)? {
        let error = ConfigError::new(format!("contradicts the {}", limit.origin)).at(workers.origin);
        return Err(error.hint("workers share all that there is: take a part of it with --only-prefix"));
    }
    if deletes(command) && !layers.switch(&catalogue::YES)? {
        let error =
            ConfigError::new("finalize asks before it deletes, and workers have nobody to ask").at(workers.origin);
        return Err(error.hint("read the report of verify, then give --yes to all of them"));
    }
    Ok(Some(Sharing { lease, range_objects }))
}

/// Whether a command deletes sources in the end.
fn deletes(command: Command) -> bool {
    matches!(command, Command::Finalize | Command::Migrate)
}

/// Whether a command has work that can be shared.
fn shares(command: Command) -> bool {
    match command {
        Command::Copy | Command::Finalize | Command::Migrate => true,
        Command::Verify
        | Command::Rollback
        | Command::Doctor
        | Command::Policy
        | Command::Fence
        | Command::Redirect
        | Command::Resolve
        | Command::Status
        | Command::Explain
        | Command::Ledger => false,
    }
}
