//! The proof that no legacy path is left: the first of the two keys to a delete.

use std::time::{Duration, Instant, SystemTime};

use anyhow::Result;

use super::Verified;
use crate::config::{ColumnName, Config};
use crate::database::{Database, RunLock, TextColumn, Worker, fenced_columns, references, survey, survey_without};
use crate::failure::Failure;

/// How long a count is believed at least.
const FRESH: Duration = Duration::from_secs(30);

/// Proof that a verify of this very run, under the lock, found no legacy path in the whole schema and nothing else that
/// forbids a delete. It cannot be cloned, saved, or outlive the lock, and it goes stale.
///
/// A delete without it does not compile, and it cannot be made by hand:
///
/// ```compile_fail
/// use avatar_migrate::{database::RunLock, verify::ZeroLegacyProof};
/// use std::time::{Duration, Instant, SystemTime};
/// fn forge(lock: &RunLock) -> ZeroLegacyProof<'_> {
///     let (counted, permitted) = (Instant::now(), SystemTime::now());
///     ZeroLegacyProof { hold: lock, references: Vec::new(), fenced: Vec::new(), counted, took: Duration::ZERO, permitted }
/// }
/// ```
///
/// The twin that compiles:
///
/// ```
/// use avatar_migrate::{config::Config, database::{Database, RunLock}, verify::{Verified, ZeroLegacyProof}};
/// async fn prove<'lock>(
///     (lock, database, config): (&'lock RunLock, &Database, &Config),
///     verified: &Verified,
/// ) -> anyhow::Result<ZeroLegacyProof<'lock>> {
///     ZeroLegacyProof::after(lock, database, config, verified).await
/// }
/// ```
#[derive(Debug)]
#[must_use]
pub struct ZeroLegacyProof<'hold> {
    hold: Hold<'hold>,
    references: Vec<TextColumn>,
    /// References that were fenced already when they were counted: while they still are, the count holds.
    fenced: Vec<ColumnName>,
    counted: Instant,
    took: Duration,
    /// When the lock was seen to be held last.
    permitted: SystemTime,
}

/// By what right.
#[derive(Debug)]
enum Hold<'hold> {
    /// The run's lock.
    Lock(&'hold RunLock),
    /// A place in a shared run whose holder has the lock and, by its own proof, has let all workers delete.
    Place(&'hold Worker),
}

/// A worker may not delete any more.
#[derive(Debug, thiserror::Error)]
#[error("the holder of the run is gone, or this worker was silent for longer than its lease: nothing more is deleted")]
pub struct PlaceLost;

impl<'hold> ZeroLegacyProof<'hold> {
    /// Proves it: the verify gave no reason to refuse, and a count made now still finds nothing.
    ///
    /// # Errors
    /// [`Failure::Refused`] with the reasons.
    pub async fn after(
        lock: &'hold RunLock,
        database: &Database,
        config: &Config,
        verified: &Verified,
    ) -> Result<Self> {
        if !verified.reasons.is_empty() {
            let hint = "the report lists each of them, with what to do about it".to_owned();
            return Err(Failure::Refused { reasons: verified.reasons.clone(), hint }.into());
        }
        let references = verified.references.clone();
        let (fenced, counted, took) = (Vec::new(), Instant::now(), Duration::ZERO);
        let hold = Hold::Lock(lock);
        let mut proof = Self { hold, references, fenced, counted, took, permitted: SystemTime::now() };
        proof.count(database, config).await?;
        Ok(proof)
    }

    /// The same for a worker of a shared run: its holder has the proof, under the lock, and has let all workers delete; a count
    /// made by this one finds nothing either.
    ///
    /// # Errors
    /// [`PlaceLost`]; [`Failure::Refused`] if this count finds a legacy path.
    pub async fn joined(worker: &'hold Worker, database: &Database, config: &Config) -> Result<Self> {
        let references = references(config, &survey(database, config).await?);
        let (fenced, counted, took) = (Vec::new(), Instant::now(), Duration::ZERO);
        let hold = Hold::Place(worker);
        let mut proof = Self { hold, references, fenced, counted, took, permitted: SystemTime::now() };
        proof.count(database, config).await?;
        proof.renew(database, config).await?;
        Ok(proof)
    }

    /// Whether the database itself refuses new legacy paths in every reference.
    #[must_use]
    pub fn is_fenced(&self) -> bool {
        self.references.iter().all(|column| self.fenced.contains(&column.name))
    }

    /// Makes sure that the proof is fresh: counts again if the last count is older than 30 s or twice the time it took.
    /// Columns whose fence still stands are not counted again: what it lets through is no legacy path.
    ///
    /// # Errors
    /// [`Failure::Refused`] if the application has written a legacy path meanwhile; the lock was lost.
    pub async fn renew(&mut self, database: &Database, config: &Config) -> Result<()> {
        if self.counted.elapsed() > FRESH.max(self.took * 2) {
            self.count(database, config).await?;
        }
        // The lock must hold at each batch, fresh count or not.
        let asked = SystemTime::now();
        match self.hold {
            Hold::Lock(lock) => drop(lock.connection().await?),
            Hold::Place(worker) if worker.may_delete().await? => {}
            Hold::Place(_) => return Err(PlaceLost.into()),
        }
        self.permitted = asked;
        Ok(())
    }

    /// When this proof was last known to hold: deletes are signed as of this moment, and are void a quarter of an hour later.
    #[must_use]
    pub fn permitted(&self) -> SystemTime {
        self.permitted
    }

    async fn count(&mut self, database: &Database, config: &Config) -> Result<()> {
        let begun = Instant::now();
        // The fence first: what is written after it was read is refused, what was written before is counted.
        let fenced = fenced_columns(database, &config.mappings, &self.references).await?;
        let (known, new): (Vec<ColumnName>, Vec<ColumnName>) =
            fenced.into_iter().partition(|name| self.fenced.contains(name));
        let surveys = survey_without(database, config, &known).await?;
        let counted = surveys.iter().filter(|survey| !config.exclude_references.contains(&survey.column.name));
        let late: Vec<String> = counted
            .filter(|survey| survey.counts.legacy + survey.counts.suspect > 0)
            .map(|survey| {
                let (name, rows) = (&survey.column.name, survey.counts.legacy + survey.counts.suspect);
                format!("legacy paths were written to {name} meanwhile (rows: {rows})")
            })
            .collect();
        if !late.is_empty() {
            let hint =
                "the application still writes legacy paths: stop that, then run copy and finalize again".to_owned();
            return Err(Failure::Refused { reasons: late, hint }.into());
        }
        (self.counted, self.took) = (begun, begun.elapsed());
        self.fenced = [known, new].concat();
        Ok(())
    }
}
