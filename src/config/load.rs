//! Joins the layers and validates what they say together.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::SecretString;

use super::buckets::{Buckets, buckets, refuse_two_servers};
use super::database::{Passwords, database, ledger_schema, open_password_file};
use super::environment::{self, Environment};
use super::file::{self, DEFAULT_FILE};
use super::following::some_time;
use super::inventory::inventories;
use super::layers::{Layer, Layers, choice, number, path, text};
use super::sharing::sharing;
use super::throttle::throttle;
use super::{
    BucketConfig, ColumnName, Concurrency, Config, ConfigError, CopyOptions, DatabaseConfig, DoctorOptions,
    FenceOptions, FinalizeOptions, LedgerOptions, Output, PolicyOptions, RedirectOptions, ResolveOptions,
    RollbackOptions, TransactionRows, VerifyOptions, catalogue, options, policy, quantity, redirect,
};

/// What S3 copies at once and takes as a part (AWS: "Amazon S3 multipart upload limits").
const PART_BYTES_MAX: u64 = 5 << 30;

/// Where temporary files go on systems whose environment does not say it.
const TEMP_DIR: &str = "/tmp";

/// The command line, parsed but not yet validated.
#[derive(Clone, Debug)]
pub struct Arguments {
    /// What to do.
    pub command: Command,
    /// The flags and the arguments of the one-line form.
    pub flags: Layer,
    /// The password of the one-line form.
    pub password: PasswordArgument,
}

impl Arguments {
    /// The same with the password asked for, if it was `-`.
    ///
    /// # Errors
    /// What `ask` fails with.
    pub fn asking<E>(self, ask: impl FnOnce() -> Result<SecretString, E>) -> Result<Self, E> {
        let password = match self.password {
            PasswordArgument::Ask => PasswordArgument::Asked(ask()?),
            other @ (PasswordArgument::None | PasswordArgument::Clear(_) | PasswordArgument::Asked(_)) => other,
        };
        Ok(Self { password, ..self })
    }
}

/// What the program was told to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Phase one.
    Copy,
    /// The report.
    Verify,
    /// Phase two.
    Finalize,
    /// The way back.
    Rollback,
    /// What can go wrong, before it does.
    Doctor,
    /// The least privileges of each command.
    Policy,
    /// The database refuses late legacy paths.
    Fence,
    /// Configuration of what stands before the buckets.
    Redirect,
    /// A person settles twins that differ.
    Resolve,
    /// Where the migration stands.
    Status,
    /// Everything about one key or path.
    Explain,
    /// The upkeep of the ledger.
    Ledger,
    /// The one-line form: all three in order.
    Migrate,
}

/// The password of the one-line form.
#[derive(Clone, Debug)]
pub enum PasswordArgument {
    /// There is none, as in all other forms.
    None,
    /// It was `-` and must be asked for.
    Ask,
    /// It stands on the command line, where others can see it.
    Clear(SecretString),
    /// It was asked for.
    Asked(SecretString),
}

/// Everything that was said, validated.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What to do.
    pub command: Command,
    /// What all commands share.
    pub config: Config,
    /// What is printed.
    pub output: Output,
    /// For `copy`.
    pub copy: CopyOptions,
    /// For `verify`.
    pub verify: VerifyOptions,
    /// For `finalize`.
    pub finalize: FinalizeOptions,
    /// For `rollback`.
    pub rollback: RollbackOptions,
    /// For `doctor`.
    pub doctor: DoctorOptions,
    /// For `policy`.
    pub policy: PolicyOptions,
    /// For `fence`.
    pub fence: FenceOptions,
    /// For `redirect`, if that is the command.
    pub redirect: Option<RedirectOptions>,
    /// For `resolve`, if that is the command.
    pub resolve: Option<ResolveOptions>,
    /// For `explain`, if that is the command: a key or path.
    pub explain: Option<String>,
    /// For `ledger`, if that is the command.
    pub ledger: Option<LedgerOptions>,
    /// For `status`: how often it looks again until no run is at work.
    pub status_watch: Option<Duration>,
    /// Whether the password stands on the command line, which deserves a word of advice.
    pub password_in_clear: bool,
    /// The password file, if others than its owner can read it.
    pub password_file_open: Option<PathBuf>,
}

/// Joins command line, environment, settings file and defaults; relative paths start from `directory`.
///
/// # Errors
/// [`ConfigError`] with the first thing that cannot be used, where it stands, and what to do.
pub fn load(
    arguments: Arguments,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
    directory: &Path,
) -> Result<Settings, ConfigError> {
    let Arguments { command, flags, password } = arguments;
    let Environment { layer, password: variable, temp_dir, s3_authority, aws } =
        environment::read(environment, directory)?;
    let mut layers = Layers(vec![flags, layer]);
    if let Some(file) = settings_file(&layers, directory)? {
        layers.0.push(file);
    }
    let (argument, password_in_clear) = match password {
        PasswordArgument::None => (None, false),
        PasswordArgument::Clear(password) => (Some(password), true),
        PasswordArgument::Asked(password) => (Some(password), false),
        PasswordArgument::Ask => {
            return Err(ConfigError::new("argument DATABASE_PASSWORD: the password was not asked for"));
        }
    };
    let temp_dir = temp_dir.unwrap_or_else(|| PathBuf::from(TEMP_DIR));
    let passwords = Passwords { argument, variable };
    let config = Config { s3_authority, ..config((command, &layers), passwords, directory, temp_dir)? };
    Ok(Settings {
        command,
        output: options::output(&layers, command)?,
        copy: options::copy(&layers, command, &config)?,
        verify: options::verify(&layers)?,
        finalize: options::finalize(&layers, command)?,
        rollback: options::rollback(&layers)?,
        doctor: policy::doctor(&layers, command)?,
        policy: policy::policy(&layers, command)?,
        fence: options::fence(&layers, command)?,
        redirect: redirect::redirect(&layers, command, aws)?,
        resolve: options::resolve(&layers, command)?,
        explain: options::explain(&layers, command)?,
        ledger: options::ledger(&layers, command)?,
        status_watch: options::status(&layers, command)?,
        password_in_clear,
        password_file_open: open_password_file(&layers, directory)?,
        config,
    })
}

/// The file that was named, or the default one if it exists.
fn settings_file(layers: &Layers, directory: &Path) -> Result<Option<Layer>, ConfigError> {
    let named = layers.placed(&catalogue::CONFIG, path)?;
    let shown = named.as_ref().map_or(Path::new(DEFAULT_FILE), |named| named.value.as_path());
    match std::fs::read_to_string(directory.join(shown)) {
        Ok(text) => file::parse(&text, shown).map(Some),
        Err(error) if named.is_none() && error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => {
            let place = named.as_ref().map_or("settings file".to_owned(), |named| named.origin.to_string());
            Err(ConfigError::new(format!("cannot read {}: {error}", shown.display())).at(place))
        }
    }
}

fn config(
    (command, layers): (Command, &Layers),
    passwords: Passwords,
    directory: &Path,
    temp_dir: PathBuf,
) -> Result<Config, ConfigError> {
    // What `redirect` prints is made from buckets and paths alone: it copies nothing and asks no database.
    let prints_only = command == Command::Redirect;
    // Who has no user of the database yet asks `policy` what to grant.
    let nameless = command == Command::Policy && layers.placed(&catalogue::DATABASE_URL, text)?.is_none();
    let Buckets { source, target, mappings, method } = buckets(layers)?;
    if !prints_only {
        refuse_two_servers(&source, &copier((command, layers), &source, &target)?, method)?;
    }
    let (references, exclude_references) = references(layers)?;
    let unasked = prints_only || nameless;
    let database = if unasked { DatabaseConfig::unknown() } else { database(layers, passwords, directory)? };
    Ok(Config {
        source,
        target,
        inventories: inventories(layers)?,
        s3_authority: None,
        throttle: throttle(layers, &database, directory)?,
        database,
        mappings,
        references,
        exclude_references,
        method,
        check: layers.required(&catalogue::CHECK, choice)?,
        concurrency: layers.required(&catalogue::CONCURRENCY, concurrency)?,
        transaction_rows: layers.required(&catalogue::TRANSACTION_ROWS, transaction_rows)?,
        lock_wait: layers.required(&catalogue::LOCK_WAIT, quantity::duration)?,
        sharing: sharing(layers, command, method)?,
        request_timeout: layers.required(&catalogue::REQUEST_TIMEOUT, some_time)?,
        ledger_schema: ledger_schema(layers)?,
        temp_dir: layers.optional(&catalogue::TEMP_DIR, path)?.unwrap_or(temp_dir),
        multipart_threshold: layers.required(&catalogue::MULTIPART_THRESHOLD, part_size)?,
        multipart_part_size: layers.required(&catalogue::MULTIPART_PART_SIZE, part_size)?,
        metrics_address: layers.optional(&catalogue::METRICS_ADDRESS, address)?,
        strict_mentions: layers.switch(&catalogue::STRICT_MENTIONS)?,
    })
}

/// The way to the production bucket as far as copies go: whoever changes the legacy bucket's policy is its owner, and need
/// not be who copies.
fn copier(
    (command, layers): (Command, &Layers),
    source: &BucketConfig,
    target: &BucketConfig,
) -> Result<BucketConfig, ConfigError> {
    let changes = layers.switch(&catalogue::ATTACH_POLICY)? || layers.switch(&catalogue::DETACH_POLICY)?;
    let profile = if changes && command == Command::Doctor { &source.profile } else { &target.profile };
    Ok(BucketConfig { profile: profile.clone(), ..target.clone() })
}

/// Explicit and excluded references, each once.
fn references(layers: &Layers) -> Result<(Vec<ColumnName>, Vec<ColumnName>), ConfigError> {
    let columns = |setting| {
        let mut names: Vec<ColumnName> = layers.list(setting, ColumnName::parse)?;
        let mut seen = std::collections::BTreeSet::new();
        names.retain(|name| seen.insert(name.clone()));
        Ok::<_, ConfigError>(names)
    };
    let references = columns(&catalogue::REFERENCE)?;
    let excluded = columns(&catalogue::EXCLUDE_REFERENCE)?;
    if let Some(ColumnName { table, column }) = references.iter().find(|name| excluded.contains(name)) {
        return Err(ConfigError::new(format!("{table}.{column} is both a --reference and an --exclude-reference"))
            .hint("take one of the two away"));
    }
    Ok((references, excluded))
}

fn concurrency(text: &str) -> Result<Concurrency, ConfigError> {
    if text.eq_ignore_ascii_case("auto") {
        return Ok(Concurrency::Auto);
    }
    let requests = number(1)(text).map_err(|error| error.hint("give `auto` or a number from 1 on"))?;
    usize::try_from(requests).map(Concurrency::Fixed).map_err(|_| ConfigError::new(format!("{requests} is too many")))
}

fn transaction_rows(text: &str) -> Result<TransactionRows, ConfigError> {
    if text.eq_ignore_ascii_case("all") {
        return Ok(TransactionRows::All);
    }
    let rows = number(1)(text).map_err(|error| error.hint("give `all` or a number from 1 on"))?;
    Ok(TransactionRows::AtMost(rows))
}

fn address(text: &str) -> Result<SocketAddr, ConfigError> {
    text.parse().map_err(|_| {
        ConfigError::new(format!("`{text}` is no address with a port")).hint("write 127.0.0.1:9464 or [::1]:9464")
    })
}

fn part_size(text: &str) -> Result<u64, ConfigError> {
    match quantity::size(text)? {
        0 => Err(ConfigError::new("is zero")),
        bytes @ 1..=PART_BYTES_MAX => Ok(bytes),
        _ => Err(ConfigError::new(format!("`{text}` is more than 5GiB, which is the most that S3 copies at once"))),
    }
}

#[cfg(test)]
mod tests;
