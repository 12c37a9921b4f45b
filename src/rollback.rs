//! Rollback: journaled rows get their legacy paths back, each only after its source was seen in the legacy bucket.
//!
//! The order is that of phase one turned round: objects first, rows after them, and the objects once more. Where finalize
//! has deleted sources they can be copied back, by the same copier and under the same check.

use anyhow::Result;
use tokio_util::sync::CancellationToken;

use crate::check::{VerifiedCopy, proved_by_ledger};
use crate::copy::{Copying, Ending, look_closely};
use crate::database::{Ledger, LedgerObject, ObjectState, PutBack, SourceState, Undo};
use crate::failure::Failure;
use crate::path::ObjectKey;
use crate::store::{CopyObjects, ReadObjects, StoreError};

/// Objects that are looked at together.
const WINDOW: usize = 1000;
/// Objects that are named one by one.
const NAMED_MAX: usize = 10;

/// Permission to put rows back: every source that they need was looked for, and those that exist are marked. It is made by
/// [`look_at_sources`] alone.
#[derive(Debug)]
#[must_use]
pub struct SourcesSeen<'a>(&'a Undo<'a>);

/// What a look at the legacy bucket found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sources {
    /// Sources that exist.
    pub there: u64,
    /// Sources that do not.
    pub missing: u64,
    /// The first of those.
    pub examples: Vec<String>,
}

/// How copying objects back ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Restored {
    /// Objects that live in the legacy bucket again, checked; in a dry run: that would.
    pub restored: u64,
    /// Objects whose twin the application has replaced since: what is there now is not what the rows named.
    pub superseded: u64,
    /// Objects that neither bucket holds.
    pub missing: u64,
    /// Objects that could not be copied.
    pub failed: u64,
    /// The first reasons, a sentence each.
    pub reasons: Vec<String>,
}

/// Looks for the sources of all rows whose source is in state `from`, and marks each as there or missing.
///
/// # Errors
/// If the bucket or the ledger cannot be read; [`Failure::Interrupted`].
pub async fn look_at_sources<'a>(
    undo: &'a Undo<'a>,
    source: &impl ReadObjects,
    from: SourceState,
    stop: &CancellationToken,
    progress: impl Fn(u64),
) -> Result<(Sources, SourcesSeen<'a>)> {
    let mut found = Sources::default();
    let mut after: Option<ObjectKey> = None;
    loop {
        let window = undo.objects(from, after.as_ref(), WINDOW).await?;
        let Some(last) = window.last() else { return Ok((found, SourcesSeen(undo))) };
        after = Some(last.source.clone());
        let keys: Vec<ObjectKey> = window.into_iter().map(|object| object.source).collect();
        let missing = absent(source, &keys).await?;
        let there: Vec<ObjectKey> = keys.into_iter().filter(|key| !missing.contains(key)).collect();
        undo.mark(SourceState::There, &there).await?;
        undo.mark(SourceState::Missing, &missing).await?;
        let named = NAMED_MAX.saturating_sub(found.examples.len());
        found.examples.extend(missing.iter().take(named).map(ToString::to_string));
        found.there += u64::try_from(there.len())?;
        found.missing += u64::try_from(missing.len())?;
        progress(u64::try_from(there.len() + missing.len())?);
        interrupted(stop)?;
    }
}

/// Those of `keys` (ascending) that the bucket does not hold.
async fn absent(bucket: &impl ReadObjects, keys: &[ObjectKey]) -> Result<Vec<ObjectKey>, StoreError> {
    let seen = look_closely(bucket, &keys.iter().collect::<Vec<_>>()).await?;
    Ok(keys.iter().filter(|key| !seen.contains_key(*key)).cloned().collect())
}

/// Puts back the rows whose sources were seen, in one transaction with their journal: one attempt, as the plan and what was
/// seen are gone with a connection that was lost.
///
/// Without a look at the sources it does not compile:
///
/// ```compile_fail
/// use avatar_migrate::{database::Ledger, rollback::put_back};
/// async fn blindly(ledger: &Ledger) -> anyhow::Result<()> {
///     put_back((), ledger).await.map(drop)
/// }
/// ```
///
/// The twin that compiles:
///
/// ```
/// use avatar_migrate::{database::Ledger, rollback::{SourcesSeen, put_back}};
/// async fn seen(seen: SourcesSeen<'_>, ledger: &Ledger) -> anyhow::Result<()> {
///     put_back(seen, ledger).await.map(drop)
/// }
/// ```
///
/// # Errors
/// If another attempt would fail as well.
pub async fn put_back(seen: SourcesSeen<'_>, ledger: &Ledger) -> Result<PutBack> {
    seen.0.put_back(ledger).await
}

/// What copies objects from the production bucket back into the legacy one.
#[derive(Debug)]
pub struct Restoring<'a, R, C> {
    /// The plan.
    pub undo: &'a Undo<'a>,
    /// The way back: its source is the production bucket.
    pub copying: Copying<'a, R, C>,
    /// Whether it only says what it would do.
    pub dry_run: bool,
}

impl<R: ReadObjects, C: CopyObjects> Restoring<'_, R, C> {
    /// Copies every missing source back whose twin is still the one that was checked, never over anything.
    ///
    /// # Errors
    /// If a bucket cannot be read or the plan is lost; [`Failure::Interrupted`].
    pub async fn restore(&self, stop: &CancellationToken, progress: impl Fn(u64)) -> Result<Restored> {
        let mut total = Restored::default();
        let mut after: Option<ObjectKey> = None;
        loop {
            let window = self.undo.objects(SourceState::Missing, after.as_ref(), WINDOW).await?;
            let Some(last) = window.last() else { return Ok(total) };
            after = Some(last.source.clone());
            let judged = u64::try_from(window.len())?;
            let twins = self.checked_twins(window, &mut total).await?;
            if self.dry_run {
                total.restored += u64::try_from(twins.len())?;
                let sources: Vec<ObjectKey> = twins.into_iter().map(|object| object.source).collect();
                self.undo.mark(SourceState::There, &sources).await?;
            } else {
                self.copy_back(twins, stop, &mut total).await?;
            }
            progress(judged);
            interrupted(stop)?;
        }
    }

    /// The objects whose live twin has the recorded ETag; the others are marked and counted.
    async fn checked_twins(&self, window: Vec<LedgerObject>, total: &mut Restored) -> Result<Vec<LedgerObject>> {
        let mut keys: Vec<&ObjectKey> = window.iter().map(|object| &object.target).collect();
        keys.sort_unstable();
        let mut seen = look_closely(self.copying.source, &keys).await?;
        let mut twins = Vec::new();
        let mut superseded = Vec::new();
        for object in window {
            match seen.remove(&object.target) {
                None => {
                    total.missing += 1;
                    total.say(&object.source, "neither bucket holds it");
                }
                Some(twin) if proved_by_ledger(&object, &twin).is_some() => twins.push(object),
                Some(_) => {
                    total.superseded += 1;
                    total.say(&object.source, "the application has replaced it in production since");
                    superseded.push(object.source);
                }
            }
        }
        self.undo.mark(SourceState::Superseded, &superseded).await?;
        Ok(twins)
    }

    async fn copy_back(&self, twins: Vec<LedgerObject>, stop: &CancellationToken, total: &mut Restored) -> Result<()> {
        let mut back: Vec<LedgerObject> = twins.iter().map(turned_round).collect();
        back.sort_unstable_by(|one, other| one.source.cmp(&other.source));
        let recorded = |target: &ObjectKey| twins.iter().find(|twin| twin.source == *target);
        let (mut there, mut superseded, mut failed) = (Vec::new(), Vec::new(), Vec::new());
        for (object, ending) in self.copying.window(back, stop, |_| ()).await? {
            let key = object.target;
            match ending {
                Ending::Verified { copy, .. } if is_recorded(&copy, recorded(&key)) => {
                    total.restored += 1;
                    there.push(key);
                }
                Ending::Verified { .. } => {
                    total.superseded += 1;
                    total.say(&key, "the application replaced it in production while it was copied back");
                    superseded.push(key);
                }
                // Something was written there meanwhile: it is the application's own, and what the row shall name.
                Ending::Conflict(_) => there.push(key),
                Ending::MissingSource | Ending::TargetGone => {
                    total.missing += 1;
                    total.say(&key, "neither bucket holds it");
                }
                Ending::SourceChanged => {
                    total.failed += 1;
                    total.say(&key, "its twin changes all the time");
                    failed.push(key);
                }
                Ending::Failed(why) => {
                    total.failed += 1;
                    total.say(&key, &why);
                    failed.push(key);
                }
            }
        }
        self.undo.mark(SourceState::There, &there).await?;
        self.undo.mark(SourceState::Superseded, &superseded).await?;
        self.undo.mark(SourceState::Failed, &failed).await
    }
}

impl Restored {
    fn say(&mut self, key: &ObjectKey, why: &str) {
        if self.reasons.len() < NAMED_MAX {
            self.reasons.push(format!("{key}: {why}"));
        }
    }
}

/// The copy holds the bytes of the very twin that was checked before its source went.
fn is_recorded(copy: &VerifiedCopy, recorded: Option<&LedgerObject>) -> bool {
    recorded.is_some_and(|recorded| recorded.target_etag.as_ref() == copy.source_etag())
}

/// The object as the way back sees it: nothing recorded, so that nothing is replaced.
fn turned_round(object: &LedgerObject) -> LedgerObject {
    LedgerObject {
        source: object.target.clone(),
        target: object.source.clone(),
        state: ObjectState::Planned,
        source_etag: None,
        target_etag: None,
        own_copy: false,
        sha256: None,
        proof: None,
    }
}

fn interrupted(stop: &CancellationToken) -> Result<()> {
    if stop.is_cancelled() { Err(Failure::Interrupted.into()) } else { Ok(()) }
}
