//! What single commands can be told, and what is printed.

use std::path::PathBuf;
use std::time::Duration;

use super::following::{self, Watch};
use super::layers::{Layers, boolean, choice, number, path, text};
use super::quantity::{dollars, duration};
use super::{Command, Config, ConfigError, Prices, catalogue};

/// What `copy` can be told.
#[derive(Clone, Debug, PartialEq)]
pub struct CopyOptions {
    /// Only plan and forecast.
    pub dry_run: bool,
    /// At most this many objects.
    pub limit: Option<u64>,
    /// Only objects whose key in the legacy bucket begins with this.
    pub only_prefix: Option<String>,
    /// Whether it goes on after its end.
    pub watch: Option<Watch>,
    /// What the forecast reckons with.
    pub prices: Prices,
}

/// What `verify` can be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyOptions {
    /// Where the report goes.
    pub report: PathBuf,
    /// Where the page goes that shows it; `None` if nobody asked for one.
    pub html: Option<PathBuf>,
}

/// What `finalize` can be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FinalizeOptions {
    /// Where the final report goes; `None` for a name made from the run.
    pub report: Option<PathBuf>,
    /// What becomes of orphans; `None` if nobody said it.
    pub orphans: Option<Orphans>,
    /// Younger orphans are left.
    pub orphan_min_age: Duration,
    /// Whether sources whose modern object was replaced go too.
    pub delete_superseded: bool,
    /// Whether nobody is asked.
    pub yes: bool,
    /// How long after the first clean verify deletes are refused.
    pub grace: Duration,
    /// More deletes than this are refused.
    pub max_delete: Option<u64>,
    /// More deletes than this report lists are refused.
    pub approved: Option<PathBuf>,
    /// Whether deletes without a condition are accepted.
    pub unconditional_delete: bool,
}

/// What `rollback` can be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RollbackOptions {
    /// Whether deleted sources are copied back first.
    pub restore_objects: bool,
    /// Only look and count.
    pub dry_run: bool,
    /// Whether nobody is asked.
    pub yes: bool,
    /// Whether the process of an unfinished finalize is known to be gone.
    pub holder_is_dead: bool,
}

/// What `fence` can be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FenceOptions {
    /// What to do.
    pub action: FenceAction,
    /// Whether triggers are wanted instead of constraints.
    pub trigger: bool,
    /// Whether nobody is asked.
    pub yes: bool,
}

/// What to do with the fence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FenceAction {
    /// Print its SQL.
    Print,
    /// Set it up.
    Apply,
    /// Take it away.
    Drop,
}

/// What `resolve` can be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResolveOptions {
    /// The source's key or a row's path.
    pub key: String,
    /// Which of the two stays.
    pub keep: Keep,
    /// Whether nobody is asked.
    pub yes: bool,
}

/// What `ledger` can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LedgerOptions {
    /// Runs that began longer ago are forgotten.
    pub older_than: Duration,
    /// Only count.
    pub dry_run: bool,
    /// Whether nobody is asked.
    pub yes: bool,
}

/// Which of two objects that differ stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Keep {
    /// The legacy one: its bytes replace the other's.
    Source,
    /// The production one, as it is.
    Target,
}

impl Keep {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Target => "target",
        }
    }
}

/// What becomes of objects that no row names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Orphans {
    /// Copied and checked like any other.
    Copy,
    /// Left where they are.
    Keep,
}

/// What is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Output {
    /// The summary on standard output.
    pub format: Format,
    /// Logs and progress on standard error.
    pub log_format: Format,
    /// How much of it.
    pub verbosity: Verbosity,
}

/// Who reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// People.
    Human,
    /// Programs.
    Json,
}

/// How much is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verbosity {
    /// Only what is wrong.
    Quiet,
    /// What happens.
    Normal,
    /// More (`-v`).
    Verbose,
    /// Every request (`-vv`).
    Trace,
}

/// Reads the options of `copy`.
pub(super) fn copy(layers: &Layers, command: Command, config: &Config) -> Result<CopyOptions, ConfigError> {
    Ok(CopyOptions {
        dry_run: layers.switch(&catalogue::DRY_RUN)?,
        limit: layers.optional(&catalogue::LIMIT, number(1))?,
        only_prefix: following::only_prefix(layers, command, (&config.mappings, config.method))?,
        watch: following::watch(layers, command)?,
        prices: Prices {
            copy: layers.required(&catalogue::PRICE_COPY, dollars)?,
            read: layers.required(&catalogue::PRICE_READ, dollars)?,
            transfer: layers.required(&catalogue::PRICE_TRANSFER, dollars)?,
        },
    })
}

/// Reads the options of `verify`.
pub(super) fn verify(layers: &Layers) -> Result<VerifyOptions, ConfigError> {
    Ok(VerifyOptions {
        report: layers.required(&catalogue::REPORT, path)?,
        html: layers.optional(&catalogue::HTML, path)?,
    })
}

/// Reads the options of `finalize`. In the one-line form `--report` means the report of verify.
pub(super) fn finalize(layers: &Layers, command: Command) -> Result<FinalizeOptions, ConfigError> {
    let report = match command {
        Command::Migrate => None,
        Command::Copy
        | Command::Verify
        | Command::Finalize
        | Command::Rollback
        | Command::Doctor
        | Command::Fence
        | Command::Policy
        | Command::Redirect
        | Command::Resolve
        | Command::Explain
        | Command::Ledger
        | Command::Status => layers.optional(&catalogue::FINAL_REPORT, path)?,
    };
    let approved = layers.optional(&catalogue::APPROVED, path)?;
    if command == Command::Finalize && report.is_some() && report == approved {
        return Err(ConfigError::new("--report would overwrite the file that --approved names")
            .hint("give the final report another name"));
    }
    Ok(FinalizeOptions {
        report,
        orphans: layers.optional(&catalogue::ORPHANS, choice)?,
        orphan_min_age: layers.required(&catalogue::ORPHAN_MIN_AGE, duration)?,
        delete_superseded: layers.switch(&catalogue::DELETE_SUPERSEDED)?,
        yes: layers.switch(&catalogue::YES)?,
        grace: layers.required(&catalogue::GRACE, duration)?,
        max_delete: layers.optional(&catalogue::MAX_DELETE, number(0))?,
        approved,
        unconditional_delete: layers.switch(&catalogue::UNCONDITIONAL_DELETE)?,
    })
}

/// Reads the options of `rollback`.
pub(super) fn rollback(layers: &Layers) -> Result<RollbackOptions, ConfigError> {
    Ok(RollbackOptions {
        restore_objects: layers.switch(&catalogue::RESTORE_OBJECTS)?,
        dry_run: layers.switch(&catalogue::ROLLBACK_DRY_RUN)?,
        yes: layers.switch(&catalogue::ROLLBACK_YES)?,
        holder_is_dead: layers.switch(&catalogue::HOLDER_IS_DEAD)?,
    })
}

/// Reads the options of `fence`.
pub(super) fn fence(layers: &Layers, command: Command) -> Result<FenceOptions, ConfigError> {
    let (apply, drop) = (layers.switch(&catalogue::APPLY)?, layers.switch(&catalogue::DROP)?);
    if apply && drop && command == Command::Fence {
        return Err(ConfigError::new("--apply and --drop contradict each other").hint("give one"));
    }
    Ok(FenceOptions {
        action: match (apply, drop) {
            (true, _) => FenceAction::Apply,
            (false, true) => FenceAction::Drop,
            (false, false) => FenceAction::Print,
        },
        trigger: layers.switch(&catalogue::TRIGGER)?,
        yes: layers.switch(&catalogue::FENCE_YES)?,
    })
}

/// Reads the options of `resolve`; other commands have none.
pub(super) fn resolve(layers: &Layers, command: Command) -> Result<Option<ResolveOptions>, ConfigError> {
    if command != Command::Resolve {
        return Ok(None);
    }
    let missing = |what: &str, hint: &str| ConfigError::new(format!("resolve needs {what}")).hint(hint);
    let key: Option<String> = layers.optional(&catalogue::KEY, text)?;
    let keep: Option<Keep> = layers.optional(&catalogue::KEEP, choice)?;
    Ok(Some(ResolveOptions {
        key: key.ok_or_else(|| missing("a key", "write avatarMigrate resolve KEY --keep source|target"))?,
        keep: keep.ok_or_else(|| missing("--keep", "give --keep source or --keep target"))?,
        yes: layers.switch(&catalogue::RESOLVE_YES)?,
    }))
}

/// Reads what `explain` is asked about.
pub(super) fn explain(layers: &Layers, command: Command) -> Result<Option<String>, ConfigError> {
    if command != Command::Explain {
        return Ok(None);
    }
    let named = layers.optional(&catalogue::EXPLAIN_KEY, text)?;
    let missing = || {
        ConfigError::new("explain needs a key or a path")
            .hint("write avatarMigrate explain image/avatar-1.png, for example")
    };
    named.ok_or_else(missing).map(Some)
}

/// Reads the options of `ledger`; other commands have none.
pub(super) fn ledger(layers: &Layers, command: Command) -> Result<Option<LedgerOptions>, ConfigError> {
    if command != Command::Ledger {
        return Ok(None);
    }
    Ok(Some(LedgerOptions {
        older_than: layers.required(&catalogue::OLDER_THAN, duration)?,
        dry_run: layers.switch(&catalogue::LEDGER_DRY_RUN)?,
        yes: layers.switch(&catalogue::LEDGER_YES)?,
    }))
}

/// Reads the option of `status`.
pub(super) fn status(layers: &Layers, command: Command) -> Result<Option<Duration>, ConfigError> {
    if command == Command::Status { layers.optional(&catalogue::STATUS_WATCH, following::some_time) } else { Ok(None) }
}

/// Reads what is printed. To `redirect`, `--format` says what it prints, and there is no summary.
pub(super) fn output(layers: &Layers, command: Command) -> Result<Output, ConfigError> {
    let is_redirect = command == Command::Redirect;
    Ok(Output {
        format: if is_redirect { Format::Human } else { layers.required(&catalogue::FORMAT, choice)? },
        log_format: layers.required(&catalogue::LOG_FORMAT, choice)?,
        verbosity: verbosity(layers)?,
    })
}

/// `--verbose` and `--quiet` are one setting with two names, so the strongest layer that has either decides.
fn verbosity(layers: &Layers) -> Result<Verbosity, ConfigError> {
    let verbose = layers.placed(&catalogue::VERBOSE, times)?;
    let quiet = layers.placed(&catalogue::QUIET, boolean)?;
    let times = match (verbose, quiet) {
        (Some(verbose), Some(quiet)) if verbose.origin.level() == quiet.origin.level() => {
            if verbose.value > 0 && quiet.value {
                let (verbose, quiet) = (verbose.origin, quiet.origin);
                return Err(ConfigError::new(format!("{verbose} and {quiet} contradict each other")).hint("give one"));
            }
            if quiet.value { return Ok(Verbosity::Quiet) } else { verbose.value }
        }
        (Some(verbose), Some(quiet)) if quiet.origin.level() < verbose.origin.level() && quiet.value => {
            return Ok(Verbosity::Quiet);
        }
        (Some(verbose), _) => verbose.value,
        (None, Some(quiet)) if quiet.value => return Ok(Verbosity::Quiet),
        (None, Some(_) | None) => 0,
    };
    Ok(match times {
        0 => Verbosity::Normal,
        1 => Verbosity::Verbose,
        _ => Verbosity::Trace,
    })
}

fn times(text: &str) -> Result<u64, ConfigError> {
    boolean(text).map(u64::from).or_else(|_| number(0)(text))
}
