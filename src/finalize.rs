//! Finalize: sources are deleted, with two keys: [`ZeroLegacyProof`] for the schema, [`Deletable`] for each object.

mod collect;
mod manifest;
mod orphans;

use anyhow::{Context, Result};
use futures::stream::{FuturesUnordered, StreamExt};
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

/// How many batches are under way together. A request for a thousand keys takes a server about a second, and AWS takes 3,500
/// deletes a second under one prefix ("Best practices design patterns").
const BATCHES_AT_ONCE: usize = 4;

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
/// The request is made once the future is polled; it is void a quarter of an hour after the proof was last seen to hold.
///
/// # Errors
/// If the request could not be carried out or judged.
pub fn delete_batch<'deleter, D: DeleteSources>(
    deleter: &'deleter D,
    proof: &ZeroLegacyProof<'_>,
    batch: &[Deletable],
) -> impl Future<Output = Result<Vec<DeleteEnd>>> + use<'deleter, D> {
    let items: Vec<DeleteItem> = batch.iter().filter_map(Deletable::item).collect();
    let permitted = proof.permitted();
    async move { deleter.delete(&items, permitted).await.context("failed to delete sources") }
}

/// Deletes everything that there is evidence for, some batches at a time; before each the proof is made sure to be fresh.
///
/// # Errors
/// [`Failure::Refused`] if a legacy path turned up before the first delete; the lock was lost; the ledger or the bucket
/// fails. What was deleted until then is in the ledger, also what was deleted beside the batch that failed.
pub async fn delete_all(
    deleter: &impl DeleteSources,
    mut proof: ZeroLegacyProof<'_>,
    (database, lock, ledger, config): (&Database, &RunLock, &Ledger, &Config),
    evidence: EvidenceSpool,
    stop: &CancellationToken,
    progress: impl Fn(u64),
) -> Result<Deleted> {
    let (mut total, mut refused, mut failed) = (Deleted::default(), None, None);
    let (mut evidence, mut under_way, mut more) = (evidence.read()?, FuturesUnordered::new(), true);
    loop {
        // Nothing else goes on while the proof is renewed or the ledger written, which both take the lock's connection: a
        // future that holds it must not be left standing for the other.
        let step = if more && under_way.len() < BATCHES_AT_ONCE {
            match begun(&mut proof, (database, config), &mut evidence, stop).await {
                Ok(Some(batch)) => {
                    let deleting = delete_batch(deleter, &proof, &batch);
                    under_way.push(async { deleting.await.map(|ends| (batch, ends)) });
                    continue;
                }
                Ok(None) => {
                    more = false;
                    continue;
                }
                Err(error) => Err(error),
            }
        } else {
            // To the end of those under way, whatever happens: what they have deleted belongs into the ledger.
            match under_way.next().await {
                None => break,
                Some(Ok((batch, ends))) => {
                    progress(u64::try_from(ends.len())?);
                    ledger.mark(lock, &total.judge(batch, ends)).await
                }
                Some(Err(error)) => Err(error),
            }
        };
        let Err(error) = step else { continue };
        more = false;
        match error.downcast() {
            Ok(Failure::Interrupted) => total.interrupted = true,
            Ok(Failure::Refused { reasons, hint }) => refused = Some((reasons, hint)),
            other => {
                failed.get_or_insert(other.map_or_else(|error| error, anyhow::Error::from));
            }
        }
    }
    match (failed, refused) {
        (Some(error), _) => Err(error),
        // Nothing is deleted yet: that is a refusal. Later on it is work that is left.
        (None, Some((reasons, hint))) if total.deleted == 0 => Err(Failure::Refused { reasons, hint }.into()),
        (None, refused) => {
            total.stopped = refused.map_or_else(Vec::new, |(reasons, _)| reasons);
            Ok(total)
        }
    }
}

/// The next batch, once the proof is sure to be fresh; `None` if there is none.
async fn begun(
    proof: &mut ZeroLegacyProof<'_>,
    (database, config): (&Database, &Config),
    evidence: &mut impl Iterator<Item = Result<Deletable>>,
    stop: &CancellationToken,
) -> Result<Option<Vec<Deletable>>> {
    let batch = evidence.take(BATCH).collect::<Result<Vec<Deletable>>>()?;
    if batch.is_empty() {
        return Ok(None);
    }
    if stop.is_cancelled() {
        return Err(Failure::Interrupted.into());
    }
    proof.renew(database, config).await?;
    Ok(Some(batch))
}

impl Deleted {
    /// Counts how the objects of a batch ended; gives what the ledger is to know.
    fn judge(&mut self, batch: Vec<Deletable>, ends: Vec<DeleteEnd>) -> Vec<ObjectMark> {
        let mut gone = Vec::new();
        for (evidence, end) in batch.into_iter().zip(ends) {
            match end {
                DeleteEnd::Deleted => {
                    self.deleted += 1;
                    gone.extend(mark(evidence));
                }
                DeleteEnd::Changed => self.changed += 1,
                DeleteEnd::Failed(why) => {
                    self.failed.0 += 1;
                    if self.failed.1.len() < 10 {
                        let key = evidence.item().map(|item| item.key);
                        self.failed.1.push(format!("{}: {why}", key.as_ref().map_or("an object", ObjectKey::as_str)));
                    }
                }
            }
        }
        gone
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
