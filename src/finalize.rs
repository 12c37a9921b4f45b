//! Finalize: sources are deleted, with two keys: [`ZeroLegacyProof`] for the schema, [`Deletable`] for each object.

mod collect;
mod live;
mod manifest;
mod orphans;

use std::pin::pin;

use anyhow::{Context, Result};
use futures::stream::{self, Stream, StreamExt};
use tokio_util::sync::CancellationToken;

pub use collect::Collected;
pub use live::still_true;
pub use manifest::{manifest_path, write_manifest};
pub use orphans::{OrphanEnd, OrphansCopied, copy_listed, copy_orphans};

use crate::check::Deletable;
use crate::config::Config;
use crate::database::{Database, Ledger, LedgerObject, MayWrite, ObjectMark, ObjectState, RunLock};
use crate::failure::Failure;
use crate::pace::Pace;
use crate::path::ObjectKey;
use crate::store::{DeleteEnd, DeleteItem, DeleteSources, ReadObjects};
use crate::verify::ZeroLegacyProof;

/// Keys of a batch: half of what a request takes (AWS: "DeleteObjects"), so that some are recorded while others are deleted.
const BATCH: usize = 500;

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

/// Deletes everything that there is evidence for, as many batches at a time as the pace allows; before each the proof is made
/// sure to be fresh.
/// With `look`, both buckets are looked at before each, and what is not as it was compared is kept.
///
/// # Errors
/// [`Failure::Refused`] if a legacy path turned up before the first delete; the lock was lost; the ledger or the bucket
/// fails. What was deleted until then is in the ledger, also what was deleted beside the batch that failed.
pub async fn delete_all<R: ReadObjects, W: MayWrite>(
    (deleter, pace): (&impl DeleteSources, &Pace),
    proof: &mut ZeroLegacyProof<'_>,
    scope: Scope<'_, W>,
    (evidence, look): (impl Iterator<Item = Result<Deletable>>, Option<(&R, &R)>),
    stop: &CancellationToken,
    progress: impl Fn(u64),
) -> Result<Deleted> {
    let (mut total, mut refused, mut failed) = (Deleted::default(), None, None);
    let halt = CancellationToken::new();
    let batches = batches((deleter, pace), proof, scope, (evidence, look), (stop, &halt));
    // Whoever waits for the lock's connection is asked by this stream, and nothing is awaited beside it: a future that holds the
    // connection is never left standing. To its end, whatever happens: what is under way belongs into the ledger.
    let mut ended = pin!(batches.buffer_unordered(pace.most()));
    while let Some(end) = ended.next().await {
        match end.map_err(anyhow::Error::downcast) {
            Ok(batch) => {
                progress(batch.deleted + batch.changed + batch.failed.0);
                total.add(batch);
            }
            Err(Ok(Failure::Interrupted)) => total.interrupted = true,
            Err(Ok(Failure::Refused { reasons, hint })) => refused = Some((reasons, hint)),
            Err(other) => {
                halt.cancel();
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

/// Where rows are counted and deletes are recorded, by which right.
pub type Scope<'a, W = RunLock> = (&'a Database, &'a W, &'a Ledger, &'a Config);

/// The batches, each a future that deletes and records it. One that cannot be begun is the last.
fn batches<'a, 'hold: 'a, D: DeleteSources, R: ReadObjects, W: MayWrite>(
    (deleter, pace): (&'a D, &'a Pace),
    proof: &'a mut ZeroLegacyProof<'hold>,
    (database, right, ledger, config): Scope<'a, W>,
    (evidence, look): (impl Iterator<Item = Result<Deletable>>, Option<(&'a R, &'a R)>),
    (stop, halt): (&'a CancellationToken, &'a CancellationToken),
) -> impl Stream<Item = impl Future<Output = Result<Deleted>>> {
    stream::unfold(Some((proof, evidence)), move |state| async move {
        let (proof, mut evidence) = state?;
        // Before the proof is renewed: what it says is fresh when the batch is sent.
        let turn = pace.turn().await;
        let begun = match next_batch(&mut evidence, stop) {
            Ok(batch) if batch.is_empty() || halt.is_cancelled() => return None,
            Ok(batch) => match looked_at(look, batch).await {
                Ok((batch, changed)) => {
                    let renewed = proof.renew(database, config).await;
                    renewed.map(|()| (delete_batch(deleter, proof, &batch), batch, changed))
                }
                Err(error) => Err(error),
            },
            Err(error) => Err(error),
        };
        if halt.is_cancelled() {
            return None;
        }
        let more = begun.is_ok().then_some((proof, evidence));
        let deleted = async move {
            let (deleting, batch, changed) = begun?;
            let ends = if batch.is_empty() { Vec::new() } else { deleting.await? };
            turn.went_well();
            let (mut counts, gone) = judge(batch, ends);
            counts.changed += changed;
            ledger.mark(right, &gone).await?;
            Ok(counts)
        };
        Some((deleted, more))
    })
}

/// What of a batch still holds, and how many do not.
async fn looked_at<R: ReadObjects>(look: Option<(&R, &R)>, batch: Vec<Deletable>) -> Result<(Vec<Deletable>, u64)> {
    match look {
        Some(buckets) => still_true(buckets, batch).await,
        None => Ok((batch, 0)),
    }
}

/// Empty at the end.
fn next_batch(
    evidence: &mut impl Iterator<Item = Result<Deletable>>,
    stop: &CancellationToken,
) -> Result<Vec<Deletable>> {
    let batch = evidence.take(BATCH).collect::<Result<Vec<Deletable>>>()?;
    if !batch.is_empty() && stop.is_cancelled() {
        return Err(Failure::Interrupted.into());
    }
    Ok(batch)
}

/// How the objects of a batch ended, and what the ledger is to know.
fn judge(batch: Vec<Deletable>, ends: Vec<DeleteEnd>) -> (Deleted, Vec<ObjectMark>) {
    let (mut counts, mut gone) = (Deleted::default(), Vec::new());
    for (evidence, end) in batch.into_iter().zip(ends) {
        match end {
            DeleteEnd::Deleted => {
                counts.deleted += 1;
                gone.extend(mark(evidence));
            }
            DeleteEnd::Changed => counts.changed += 1,
            DeleteEnd::Failed(why) => {
                counts.failed.0 += 1;
                let key = evidence.item().map(|item| item.key);
                counts.failed.1.push(format!("{}: {why}", key.as_ref().map_or("an object", ObjectKey::as_str)));
            }
        }
    }
    counts.failed.1.truncate(REASONS);
    (counts, gone)
}

/// So many reasons are shown.
const REASONS: usize = 10;

impl Deleted {
    /// Adds what became of a batch.
    fn add(&mut self, batch: Self) {
        self.deleted += batch.deleted;
        self.changed += batch.changed;
        self.failed.0 += batch.failed.0;
        self.failed.1.extend(batch.failed.1);
        self.failed.1.truncate(REASONS);
    }
}

/// What the ledger keeps of a deleted source: enough to prove a row that the application writes later.
fn mark(evidence: Deletable) -> Option<ObjectMark> {
    let copy = evidence.into_copy()?;
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
    let detail = "the source was deleted by finalize".to_owned();
    Some(ObjectMark { object, size: Some(copy.size()), detail, pass: 0 })
}
