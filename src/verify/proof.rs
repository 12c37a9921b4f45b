//! The proof that no legacy path is left: the first of the two keys to a delete.

use std::time::{Duration, Instant, SystemTime};

use anyhow::Result;

use super::Verified;
use crate::config::{ColumnName, Config};
use crate::database::{Database, RunLock, TextColumn, fenced_columns, survey_without};
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
///     ZeroLegacyProof { lock, references: Vec::new(), fenced: Vec::new(), counted, took: Duration::ZERO, permitted }
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
pub struct ZeroLegacyProof<'lock> {
    lock: &'lock RunLock,
    references: Vec<TextColumn>,
    /// References that were fenced already when they were counted: while they still are, the count holds.
    fenced: Vec<ColumnName>,
    counted: Instant,
    took: Duration,
    /// When the lock was seen to be held last.
    permitted: SystemTime,
}

impl<'lock> ZeroLegacyProof<'lock> {
    /// Proves it: the verify gave no reason to refuse, and a count made now still finds nothing.
    ///
    /// # Errors
    /// [`Failure::Refused`] with the reasons.
    pub async fn after(
        lock: &'lock RunLock,
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
        let mut proof = Self { lock, references, fenced, counted, took, permitted: SystemTime::now() };
        proof.count(database, config).await?;
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
        drop(self.lock.connection().await?);
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
