//! Finalize: sources are deleted, with two keys: [`ZeroLegacyProof`] for the schema, [`Deletable`] for each object.

mod collect;
mod manifest;
mod orphans;

use anyhow::{Context, Result};
use tokio_util::sync::CancellationToken;

pub use collect::Collected;
pub use manifest::{manifest_path, write_manifest};
pub use orphans::{OrphansCopied, copy_orphans};

use crate::check::{Deletable, EvidenceSpool};
use crate::config::Config;
use crate::database::{Database, Ledger, LedgerObject, ObjectMark, ObjectState, RunLock};
use crate::failure::Failure;
use crate::path::ObjectKey;
use crate::store::{DeleteEnd, DeleteItem, DeleteSources};
use crate::verify::ZeroLegacyProof;

/// The most keys of a batch (AWS: "DeleteObjects").
const BATCH: usize = 1000;

/// How the deletes ended.
#[derive(Clone, Debug, Default)]
pub struct Deleted {
    /// Sources that are gone.
    pub deleted: u64,
    /// Sources that were written after they were compared: kept.
    pub changed: u64,
    /// Sources that could not be deleted, and the first reasons.
    pub failed: (u64, Vec<String>),
    /// Whether it ended before the last batch.
    pub interrupted: bool,
    /// Why it stopped before the last batch, if the proof did not hold any more.
    pub stopped: Vec<String>,
}

/// Deletes one batch of sources, each on the condition that it is still the object that was compared.
///
/// Without the proof it does not compile:
///
/// ```compile_fail
/// use avatar_migrate::{check::Deletable, finalize::delete_batch, store::DeleteSources};
/// async fn unproved(deleter: &impl DeleteSources, batch: &[Deletable]) -> anyhow::Result<()> {
///     delete_batch(deleter, (), batch).await?;
///     Ok(())
/// }
/// ```
///
/// The twin that compiles:
///
/// ```
/// use avatar_migrate::{check::Deletable, finalize::delete_batch, store::DeleteSources, verify::ZeroLegacyProof};
/// async fn proved(
///     deleter: &impl DeleteSources,
///     proof: &ZeroLegacyProof<'_>,
///     batch: &[Deletable],
/// ) -> anyhow::Result<()> {
///     delete_batch(deleter, proof, batch).await?;
///     Ok(())
/// }
/// ```
///
/// # Errors
/// If the request could not be carried out or judged.
pub async fn delete_batch(
    deleter: &impl DeleteSources,
    proof: &ZeroLegacyProof<'_>,
    batch: &[Deletable],
) -> Result<Vec<DeleteEnd>> {
    let items: Vec<DeleteItem> = batch.iter().filter_map(Deletable::item).collect();
    deleter.delete(&items, proof.permitted()).await.context("failed to delete sources")
}

/// Deletes everything that there is evidence for, a batch at a time; before each the proof is made sure to be fresh.
///
/// # Errors
/// [`Failure::Refused`] if a legacy path turned up before the first delete; the lock was lost; the ledger or the bucket
/// fails. What was deleted until then is in the ledger.
pub async fn delete_all(
    deleter: &impl DeleteSources,
    mut proof: ZeroLegacyProof<'_>,
    (database, lock, ledger, config): (&Database, &RunLock, &Ledger, &Config),
    evidence: EvidenceSpool,
    stop: &CancellationToken,
    progress: impl Fn(u64),
) -> Result<Deleted> {
    let mut total = Deleted::default();
    let mut evidence = evidence.read()?;
    loop {
        let batch = evidence.by_ref().take(BATCH).collect::<Result<Vec<Deletable>>>()?;
        if batch.is_empty() {
            return Ok(total);
        }
        if stop.is_cancelled() {
            total.interrupted = true;
            return Ok(total);
        }
        match proof.renew(database, config).await.map_err(anyhow::Error::downcast) {
            Ok(()) => {}
            // Nothing is deleted yet: that is a refusal. Later on it is work that is left.
            Err(Ok(Failure::Refused { reasons, .. })) if total.deleted > 0 => {
                total.stopped = reasons;
                return Ok(total);
            }
            Err(Ok(failure)) => return Err(failure.into()),
            Err(Err(error)) => return Err(error),
        }
        let ends = delete_batch(deleter, &proof, &batch).await?;
        let mut gone = Vec::new();
        let judged = u64::try_from(ends.len())?;
        for (evidence, end) in batch.into_iter().zip(ends) {
            match end {
                DeleteEnd::Deleted => {
                    total.deleted += 1;
                    gone.extend(mark(evidence));
                }
                DeleteEnd::Changed => total.changed += 1,
                DeleteEnd::Failed(why) => {
                    total.failed.0 += 1;
                    if total.failed.1.len() < 10 {
                        let key = evidence.item().map(|item| item.key);
                        total.failed.1.push(format!("{}: {why}", key.as_ref().map_or("an object", ObjectKey::as_str)));
                    }
                }
            }
        }
        ledger.mark(lock, &gone).await?;
        progress(judged);
    }
}

/// What the ledger keeps of a deleted source: enough to prove a row that the application writes later.
fn mark(evidence: Deletable) -> Option<ObjectMark> {
    let copy = match evidence {
        Deletable::Twin(copy) => copy,
        Deletable::Superseded(_) => return None,
    };
    let object = LedgerObject {
        source: copy.source().clone(),
        target: copy.target().clone(),
        state: ObjectState::Deleted,
        source_etag: copy.source_etag().cloned(),
        target_etag: Some(copy.target_etag().clone()),
        own_copy: false,
        sha256: copy.sha256().map(str::to_owned),
        proof: Some(copy.proof()),
    };
    Some(ObjectMark { object, size: Some(copy.size()), detail: "the source was deleted by finalize".to_owned() })
}
