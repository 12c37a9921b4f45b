//! One object at a time: copied, found already there, in conflict, or missing; then checked.
//!
//! Every request is safe to repeat, and an answer is never taken for the truth where the buckets themselves can be asked:
//! a failed condition, a lost answer or a time-out is settled by looking at both sides again.

mod look;

use std::time::Duration;

use futures::{FutureExt, StreamExt};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use crate::check::{Checker, Compared, OwnCopy, VerifiedCopy, proved_by_ledger};
use crate::config::CheckMode;
use crate::database::LedgerObject;
use crate::pace::Pace;
use crate::path::{ETag, ObjectKey};
use crate::store::{
    CopyConditions, CopyEnd, CopyGuard, CopyObjects, ObjectInfo, ReadObjects, Sha256Digest, StoreError, StoreErrorKind,
};
use look::{Seen, look};
pub(crate) use look::{common_prefix, is_too_sparse, look_closely};
pub use look::{sources_that_changed, targets_that_went};

/// Objects that are looked at, copied and written to the ledger together.
pub const WINDOW: usize = 1000;
/// How often an object is looked at anew before it is given up for this run.
const ATTEMPTS: u32 = 8;
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// How one object ended. All of these are data: the rest goes on.
#[derive(Debug)]
pub enum Ending {
    /// The target holds the source's bytes.
    Verified {
        /// The evidence.
        copy: VerifiedCopy,
        /// Whether this migration wrote the target.
        own: OwnCopy,
        /// Bytes copied now; 0 if the object was there.
        copied: Option<u64>,
    },
    /// The source does not exist, and nothing proves that it was moved before.
    MissingSource,
    /// The target holds other bytes; the difference in words.
    Conflict(String),
    /// The source changed each time that it was copied.
    SourceChanged,
    /// The copy of an object whose rows have moved is gone: the application has deleted it, and it stays deleted.
    TargetGone,
    /// A request failed for good, for this reason.
    Failed(String),
}

/// The buckets and the way to copy between them.
#[derive(Debug)]
pub struct Copying<'a, R, C> {
    /// The legacy bucket.
    pub source: &'a R,
    /// The production bucket.
    pub target: &'a R,
    /// What copies.
    pub copier: &'a C,
    /// How content is compared.
    pub check: CheckMode,
    /// How many at once.
    pub pace: &'a Pace,
    /// Which conditions the target's endpoint was seen to enforce.
    pub conditions: CopyConditions,
    /// Whether the rows have moved, so that a copy may be replaced, but none be made where there is none.
    pub moved: bool,
}

/// A window of objects, and what the buckets hold of it.
#[derive(Debug)]
pub struct Looked {
    objects: Vec<LedgerObject>,
    sources: Seen,
    targets: Seen,
}

/// What log lines of an object are said to belong to.
fn object_span(object: &LedgerObject) -> tracing::Span {
    tracing::trace_span!("object", key = object.source.as_str())
}

impl<R: ReadObjects, C: CopyObjects> Copying<'_, R, C> {
    /// Copies and checks a window of objects in ascending key order; gives an ending for each that was begun. Once
    /// `stop` is set no further object is begun, but those in flight are finished.
    ///
    /// # Errors
    /// If a bucket cannot be listed.
    pub async fn window(
        &self,
        objects: Vec<LedgerObject>,
        stop: &CancellationToken,
        progress: impl Fn(&Ending),
    ) -> Result<Vec<(LedgerObject, Ending)>, StoreError> {
        self.looked_at(self.look(objects).await?, stop, progress).await
    }

    /// Learns what both buckets hold of a window, for [`looked_at`](Self::looked_at). What changes in between, the conditions of
    /// the copies notice; where the endpoint heeds none, it is looked at again.
    ///
    /// # Errors
    /// If a bucket cannot be listed.
    pub async fn look(&self, objects: Vec<LedgerObject>) -> Result<Looked, StoreError> {
        let sources: Vec<&ObjectKey> = objects.iter().map(|object| &object.source).collect();
        let mut targets: Vec<&ObjectKey> = objects.iter().map(|object| &object.target).collect();
        targets.sort_unstable();
        let (sources, targets) =
            futures::future::try_join(look(self.source, &sources), look(self.target, &targets)).await?;
        Ok(Looked { objects, sources, targets })
    }

    /// The rest of [`window`](Self::window).
    ///
    /// # Errors
    /// If the production bucket cannot be listed.
    pub async fn looked_at(
        &self,
        Looked { objects, sources, targets }: Looked,
        stop: &CancellationToken,
        progress: impl Fn(&Ending),
    ) -> Result<Vec<(LedgerObject, Ending)>, StoreError> {
        let begun = futures::stream::iter(objects).take_while(|_| std::future::ready(!stop.is_cancelled()));
        let first = |object: LedgerObject| {
            let span = object_span(&object);
            self.first_step(object, &sources, &targets).instrument(span)
        };
        let last = |(object, step): (LedgerObject, Step), fresh| {
            let span = object_span(&object);
            self.last_step(object, step, fresh).instrument(span)
        };
        let most = self.pace.most();
        if self.check.reads_all() {
            // Reading a copy under its ETag shows that it exists: none waits until all of its window are made, to be looked for.
            let nothing = Seen::new();
            let endings = begun.map(|object| first(object).then(|step| last(step, &nothing))).buffer_unordered(most);
            return Ok(endings.inspect(|(_, ending)| progress(ending)).collect().await);
        }
        let steps: Vec<(LedgerObject, Step)> = begun.map(first).buffer_unordered(most).collect().await;
        let fresh = self.confirm(&steps).await?;
        let endings = futures::stream::iter(steps).map(|step| last(step, &fresh)).buffer_unordered(most);
        Ok(endings.inspect(|(_, ending)| progress(ending)).collect().await)
    }

    /// Copies and checks one object about which nothing was listed yet.
    pub async fn one(&self, object: LedgerObject) -> (LedgerObject, Ending) {
        self.last_step(object, Step::Look, &Seen::new()).await
    }

    /// The cheap and common case: the source was listed, the target was not, so one copy should do.
    ///
    /// Whatever sends a request is boxed, here and in what follows: a thousand objects of a window would take the room of their
    /// requests, tens of kilobytes each, where most of them send none.
    async fn first_step(&self, object: LedgerObject, sources: &Seen, targets: &Seen) -> (LedgerObject, Step) {
        let step = match (sources.get(&object.source), targets.get(&object.target)) {
            // Where the endpoint would overwrite, a listing is not fresh enough to rely on.
            (Some(_), None) if !self.conditions.absent => Step::Look,
            (Some(source), None) => Box::pin(self.copy(source.clone(), &object.target, &CopyGuard::Absent)).await,
            (Some(source), Some(target)) => {
                Step::Compare { source: source.clone(), target: target.clone(), copied: None }
            }
            (None, None) if self.conditions.absent => Box::pin(self.copy_unlisted(&object)).await,
            (None, _) => Step::Look,
        };
        (object, step)
    }

    /// The same in a sparse window: the source takes a HEAD, and that the target is absent is the copy's own condition.
    async fn copy_unlisted(&self, object: &LedgerObject) -> Step {
        let turn = self.pace.turn().await;
        match self.source.head(&object.source).await {
            Ok(Some(source)) => {
                turn.went_well();
                self.copy(source.info, &object.target, &CopyGuard::Absent).await
            }
            Ok(None) => Step::Look,
            Err(error) => self.failed(error),
        }
    }

    async fn copy(&self, source: ObjectInfo, target: &ObjectKey, guard: &CopyGuard) -> Step {
        let turn = self.pace.turn().await;
        match self.copier.copy(&source, target, guard).await {
            Ok(CopyEnd::Copied { etag, sha256 }) => {
                turn.went_well();
                Step::Confirm { source, etag, sha256 }
            }
            Ok(CopyEnd::Unsettled | CopyEnd::MissingSource) => Step::Look,
            Err(error) => self.failed(error),
        }
    }

    /// That the copies exist is learnt from the target bucket, not from the answers to the copies.
    async fn confirm(&self, steps: &[(LedgerObject, Step)]) -> Result<Seen, StoreError> {
        let copied = steps.iter().filter(|(_, step)| matches!(step, Step::Confirm { .. }));
        let mut keys: Vec<&ObjectKey> = copied.map(|(object, _)| &object.target).collect();
        keys.sort_unstable();
        look(self.target, &keys).await
    }

    async fn last_step(&self, mut object: LedgerObject, mut step: Step, fresh: &Seen) -> (LedgerObject, Ending) {
        let (mut copied, mut pause) = (None, FIRST_PAUSE);
        let (mut looks, mut changed) = (0, false);
        loop {
            step = match step {
                Step::Look if looks == ATTEMPTS && changed => Step::End(Ending::SourceChanged),
                Step::Look if looks == ATTEMPTS => {
                    Step::End(Ending::Failed(format!("not settled after {ATTEMPTS} looks: run the command again")))
                }
                Step::Look => {
                    looks += 1;
                    Box::pin(self.look_at_both(&object)).await.unwrap_or_else(|error| self.failed(error))
                }
                Step::Copy { source, guard } => Box::pin(self.copy(source, &object.target, &guard)).await,
                Step::Confirm { source, etag, sha256 } => {
                    copied = Some(source.size);
                    match self.seen_or_awaited(&object.target, source.size, &etag, fresh).await {
                        Ok(Some(target)) => {
                            // From now on it is a copy of our own: if its source changes, it may be replaced.
                            // An earlier proof was of other bytes.
                            (object.own_copy, object.proof) = (true, None);
                            (object.source_etag, object.target_etag) = (Some(source.etag.clone()), Some(etag));
                            Step::Compare { source, target, copied: sha256 }
                        }
                        Ok(None) => Step::Look,
                        Err(error) => self.failed(error),
                    }
                }
                Step::Compare { source, target, copied: digest } => {
                    self.compare(&object, source, target, digest, copied).await
                }
                Step::Changed => {
                    changed = true;
                    Step::Look
                }
                Step::Again => {
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                    Step::Look
                }
                Step::End(ending) => return (object, ending),
            };
        }
    }

    async fn look_at_both(&self, object: &LedgerObject) -> Result<Step, StoreError> {
        let heads = futures::future::try_join(self.source.head(&object.source), self.target.head(&object.target));
        let turn = self.pace.turn().await;
        let (source, target) = heads.await?;
        turn.went_well();
        Ok(match (source.map(|s| s.info), target.map(|t| t.info)) {
            (Some(source), Some(target)) => Step::Compare { source, target, copied: None },
            (Some(_), None) if self.moved => Step::End(Ending::TargetGone),
            (Some(source), None) => Step::Copy { source, guard: CopyGuard::Absent },
            (None, Some(target)) => match proved_by_ledger(object, &target) {
                Some(copy) => Step::End(Ending::Verified { copy, own: own(object, &target, None), copied: None }),
                None => Step::End(Ending::MissingSource),
            },
            (None, None) => Step::End(Ending::MissingSource),
        })
    }

    /// The copy as the target bucket shows it: from the window's listing if that shows this very copy, else by HEAD with
    /// growing pauses. One that is read under its ETag next need not be looked for.
    async fn seen_or_awaited(
        &self,
        target: &ObjectKey,
        size: u64,
        etag: &ETag,
        fresh: &Seen,
    ) -> Result<Option<ObjectInfo>, StoreError> {
        if self.check.reads_all() {
            return Ok(Some(ObjectInfo { key: target.clone(), size, etag: etag.clone(), modified_ms: 0 }));
        }
        if let Some(info) = fresh.get(target).filter(|info| info.etag == *etag) {
            return Ok(Some(info.clone()));
        }
        Box::pin(self.awaited(target)).await
    }

    async fn awaited(&self, target: &ObjectKey) -> Result<Option<ObjectInfo>, StoreError> {
        let mut pause = FIRST_PAUSE;
        for _ in 0..ATTEMPTS {
            if let Some(details) = self.target.head(target).await? {
                return Ok(Some(details.info));
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        Ok(None)
    }

    async fn compare(
        &self,
        object: &LedgerObject,
        source: ObjectInfo,
        target: ObjectInfo,
        digest: Option<Sha256Digest>,
        copied: Option<u64>,
    ) -> Step {
        let checker = Checker::new(self.source, self.target, self.check);
        match checker.compare(&source, &target, digest.map(|digest| (C::HASHED, digest))).await {
            Ok(Compared::Same(copy)) => {
                let own = own(object, &target, copied);
                Step::End(Ending::Verified { copy, own, copied })
            }
            Ok(Compared::Different(_)) if self.may_replace() && replaceable(object, &source, &target) => {
                Step::Copy { source, guard: CopyGuard::OwnCopy(target.etag) }
            }
            Ok(Compared::Different(how)) => Step::End(Ending::Conflict(how)),
            Ok(Compared::Moved) => Step::Changed,
            Err(error) => self.failed(error),
        }
    }

    /// A copy is replaced only where the endpoint heeds both conditions of that request: otherwise a stranger's object
    /// could go, or a source that is being written could leave torn bytes where rows may point already.
    fn may_replace(&self) -> bool {
        self.conditions.own_copy && self.conditions.source
    }

    fn failed(&self, error: StoreError) -> Step {
        match error.kind {
            StoreErrorKind::Throttled => {
                self.pace.too_much();
                Step::Again
            }
            StoreErrorKind::Unreachable => Step::Again,
            StoreErrorKind::Forbidden
            | StoreErrorKind::NoSuchBucket
            | StoreErrorKind::Credentials
            | StoreErrorKind::Archived
            | StoreErrorKind::Other => Step::End(Ending::Failed(error.to_string())),
        }
    }
}

enum Step {
    /// Ask both buckets.
    Look,
    /// Copy under this condition.
    Copy { source: ObjectInfo, guard: CopyGuard },
    /// Copied by the answer's word: find the copy in the target bucket.
    Confirm { source: ObjectInfo, etag: ETag, sha256: Option<Sha256Digest> },
    /// Both exist.
    Compare { source: ObjectInfo, target: ObjectInfo, copied: Option<Sha256Digest> },
    /// One of the two changed while it was compared.
    Changed,
    /// Pause, then ask both buckets.
    Again,
    /// Done.
    End(Ending),
}

/// A target that this migration wrote itself, and whose source has changed since, may be replaced; nothing else may.
fn replaceable(object: &LedgerObject, source: &ObjectInfo, target: &ObjectInfo) -> bool {
    object.own_copy
        && object.target_etag.as_ref() == Some(&target.etag)
        && object.source_etag.as_ref().is_some_and(|recorded| *recorded != source.etag)
}

/// A copy made now is ours; so is one that an earlier run recorded and that is still the same.
fn own(object: &LedgerObject, target: &ObjectInfo, copied: Option<u64>) -> OwnCopy {
    let recorded = object.own_copy && object.target_etag.as_ref() == Some(&target.etag);
    if copied.is_some() || recorded { OwnCopy::Ours } else { OwnCopy::Found }
}
