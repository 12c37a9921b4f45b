//! The composition root: settings become a session, a session runs commands; loops, concurrency and cancellation are here.

mod approval;
mod aws_cli;
mod braking;
mod copying;
mod doctoring;
mod dry;
mod explaining;
mod fencing;
mod files;
mod finalizing;
mod looks;
mod metrics;
mod page;
mod pruning;
mod policing;
mod resolving;
mod rollingback;
mod seats;
mod standing;
mod sync;
mod verifying;
mod ways;
mod weighing;
mod windows;

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Result;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub use copying::copy;
pub use doctoring::{ConfirmPolicy, PolicyConfirmation, change_policy, doctor};
pub use explaining::explain;
pub use fencing::{ConfirmFence, FenceConfirmation, fence};
pub use files::check_files;
pub use finalizing::{Confirm, Confirmation, FinalizeEnd, finalize};
pub use policing::{Printed, policy};
pub use pruning::{ConfirmPrune, PruneConfirmation, prune};
pub use resolving::{ConfirmResolve, ResolveConfirmation, resolve};
pub use rollingback::{ConfirmRollback, RollbackConfirmation, rollback};
pub use standing::status;
pub use verifying::verify;

use crate::config::{BucketConfig, CheckMode, ColumnName, Config, DatabaseConfig, DatabaseTls};
use crate::database::{Activity, ColumnSurvey, Database, Ledger, RunLock};
use crate::failure::{Exit, Failure, exit_of};
use crate::pace::{Brake, Pace};
use crate::report::progress::Progress;
use crate::store::{
    Bucket, Copier, CopyObjects, PartSizes, Reach, Requests, Scratch, StoreError, StoreErrorKind, Stores, Tried,
    connect, is_same_bucket, prove_copies,
};

/// Everything that a command works with.
#[derive(Debug)]
pub struct Session {
    /// The settings.
    pub config: Config,
    /// Where the rows are.
    pub database: Database,
    /// Where the objects are.
    pub stores: Stores,
    /// How many requests run at once.
    pub pace: Arc<Pace>,
    /// Where progress is shown.
    pub progress: Progress,
    /// Set when the command is to end early.
    pub stop: CancellationToken,
    begun: Instant,
    /// Who pulls the brake, and who serves metrics; they end with the session.
    _watchers: JoinSet<()>,
}

impl Session {
    /// Connects to the database and to both buckets, and makes sure that all three answer.
    ///
    /// # Errors
    /// [`Failure::Usage`] where settings are the reason, else what the server said.
    pub async fn open(config: Config, progress: Progress, stop: CancellationToken, brake: Brake) -> Result<Self> {
        refuse_unusable(&config.temp_dir)?;
        warn_of_plaintext(&config.database);
        let database = Database::connect(&config.database).await?.with_brake(brake.clone());
        let stores = connect(&config.source, &config.target, reach(&config)).await.map_err(usage)?;
        for keys in config.mappings.key_mappings() {
            stores.source.probe(&keys.legacy).await.map_err(|error| usage(of_profile(error, &config.source)))?;
            stores.target.probe(&keys.modern).await.map_err(|error| usage(of_profile(error, &config.target)))?;
        }
        let mut watchers = braking::watch(&config.throttle, &database, &brake, &progress).await?;
        let limit = config.throttle.requests_per_second;
        let pace = Arc::new(Pace::new(config.concurrency, stores.requests.throttles(), brake, limit));
        if let Some(address) = config.metrics_address {
            let (progress, pace, requests) = (progress.clone(), Arc::clone(&pace), stores.requests.clone());
            metrics::serve(address, metrics::Sources { progress, pace, requests }, &mut watchers).await?;
        }
        Ok(Self { config, database, stores, pace, progress, stop, begun: Instant::now(), _watchers: watchers })
    }

    /// Starts the clock and the request counter of a command.
    pub(crate) fn meter(&self) -> Meter {
        Meter { begun: Instant::now(), before: self.stores.requests.snapshot() }
    }

    /// Closes the connections.
    pub async fn close(&self) {
        self.database.close().await;
        tracing::debug!(seconds = self.begun.elapsed().as_secs_f64(), "session closed");
    }

    /// Tells what the run is at.
    pub(crate) fn activity(&self) -> impl Fn() -> Option<Activity> + Send + use<> {
        let (progress, brake) = (self.progress.clone(), self.pace.brake().clone());
        move || {
            let at = progress.running();
            if brake.holds() { Some(Activity { name: PAUSED.to_owned(), ..at.unwrap_or_default() }) } else { at }
        }
    }

    pub(crate) fn part_sizes(&self) -> PartSizes {
        PartSizes { threshold: self.config.multipart_threshold, part_size: self.config.multipart_part_size }
    }

    /// What copies inside S3 from the legacy bucket to the production bucket.
    pub(crate) fn copier(&self) -> Copier {
        let copier = Copier::new(self.stores.source.clone(), self.stores.target.clone(), self.part_sizes());
        match self.config.check {
            CheckMode::Auto => copier,
            CheckMode::Sha256 => copier.without_hashes(),
        }
    }

    pub(crate) fn interrupted(&self) -> Result<()> {
        if self.stop.is_cancelled() { Err(Failure::Interrupted.into()) } else { Ok(()) }
    }
}

/// How many legacy rows a column holds.
fn legacy_in(surveys: &[ColumnSurvey], name: &ColumnName) -> u64 {
    surveys.iter().filter(|survey| survey.column.name == *name).map(|survey| survey.counts.legacy).sum()
}

/// What a run is at while the brake holds it.
const PAUSED: &str = "paused";

/// Time and requests of one command.
pub(crate) struct Meter {
    begun: Instant,
    before: Requests,
}

impl Meter {
    pub(crate) fn elapsed(&self) -> std::time::Duration {
        self.begun.elapsed()
    }

    pub(crate) fn requests(&self, session: &Session) -> Requests {
        session.stores.requests.snapshot() - self.before
    }
}

/// A directory that cannot hold temporary files is found now, not after an hour of reading.
fn refuse_unusable(temp_dir: &Path) -> Result<()> {
    let tried = tempfile::tempfile_in(temp_dir).map(drop);
    tried.map_err(|error| {
        let message = format!("no temporary file can be made in {}: {error}", temp_dir.display());
        Failure::Usage { message, hint: "name another directory with --temp-dir".to_owned() }.into()
    })
}

/// Off this host, a connection that verifies nothing can be read and changed on its way.
fn warn_of_plaintext(database: &DatabaseConfig) {
    if database.tls != DatabaseTls::Verify && !is_local(database) {
        tracing::warn!(
            "the connection to the database is not verified: whoever answers in the server's place gets the password \
             and every row; give --database-tls verify"
        );
    }
}

/// Whether the connection stays on this host.
fn is_local(database: &DatabaseConfig) -> bool {
    let loopback = database.host == "localhost" || database.host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
    database.socket.is_some() || loopback
}

/// What log lines of a writing run are said to belong to.
fn span(command: &'static str, ledger: &Ledger) -> tracing::Span {
    tracing::info_span!("run", id = ledger.run(), command)
}

/// A writing run signs off: how it ended goes to the ledger, and its lock is given back.
///
/// The ending itself is what counts, whether or not the ledger can still note it. The lock goes after a failure too: the
/// server may notice later than the next command begins that this process has ended.
async fn sign_off<T>(ended: Result<T>, exit: impl FnOnce(&T) -> Exit, ledger: Ledger, lock: RunLock) -> Result<T> {
    let closed = ledger.close(ended.as_ref().map_or_else(exit_of, exit)).await;
    lock.release().await;
    let ended = ended?;
    closed?;
    Ok(ended)
}

/// How the servers of both buckets are reached.
fn reach(config: &Config) -> Reach<'_> {
    Reach {
        authority: config.s3_authority.as_ref(),
        request_timeout: config.request_timeout,
        requests_per_second: config.throttle.requests_per_second,
    }
}

/// The SDK does not say of which profile it found no credentials.
fn of_profile(error: StoreError, bucket: &BucketConfig) -> StoreError {
    match (&error.kind, &bucket.profile) {
        (StoreErrorKind::Credentials, Some(profile)) => {
            let message = format!("the profile `{profile}` gives no usable credentials: {}", error.message);
            StoreError { message, ..error }
        }
        (_, _) => error,
    }
}

/// A bucket that cannot be reached at all is a matter of settings where the operator can change them.
fn usage(error: StoreError) -> anyhow::Error {
    let Some(hint) = error.advice() else { return error.into() };
    Failure::Usage { message: error.to_string(), hint }.into()
}

/// A refusal for one reason.
fn refused(reason: String, hint: &str) -> anyhow::Error {
    Failure::Refused { reasons: vec![reason], hint: hint.to_owned() }.into()
}

/// Refuses one bucket under two names (an access point, another host name) where a target would be a source too: finalize
/// would delete what the rows name. Only then it matters, and only then it is tried, with a scratch object.
async fn refuse_one_bucket(session: &Session, scratch: &Scratch) -> Result<()> {
    let Some((legacy, modern)) = session.config.mappings.shared_place() else { return Ok(()) };
    let Stores { source, target, .. } = &session.stores;
    if !is_same_bucket(target, source, scratch).await.map_err(usage)? {
        return Ok(());
    }
    let reason = format!(
        "`{}` and `{}` are two names of one bucket, and the key prefixes `{legacy}` and `{modern}` overlap",
        source.name(),
        target.name()
    );
    let hint = "give two buckets, or key prefixes of which none begins with another";
    Err(refused(reason, hint))
}

/// Tries which conditions on copies the endpoint of the production bucket enforces, and says what it does not.
pub(crate) async fn try_conditions<'a>(
    session: &'a Session,
    canary: &impl CopyObjects,
    scratch: &Scratch,
) -> Result<Tried<'a>> {
    refuse_one_bucket(session, scratch).await?;
    try_conditions_in(&session.stores.target, canary, scratch).await
}

/// The same in any bucket that copies go to; `canary` copies inside it.
pub(crate) async fn try_conditions_in<'a>(
    bucket: &'a Bucket,
    canary: &impl CopyObjects,
    scratch: &Scratch,
) -> Result<Tried<'a>> {
    let tried = prove_copies(bucket, canary, scratch).await.map_err(usage)?;
    let shortcomings = tried.conditions().shortcomings();
    if shortcomings.is_empty() {
        tracing::info!("the endpoint enforces every condition on copies");
    }
    for text in shortcomings {
        tracing::warn!("{text}");
    }
    Ok(tried)
}

/// The exit code of a command that ran.
pub(crate) fn exit(clean: bool) -> Exit {
    if clean { Exit::Clean } else { Exit::Left }
}
