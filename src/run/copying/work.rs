//! The work of a worker, under the lock of a run or the lease of a range: copy, check, look again, and write down what became
//! of each object.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Result, bail};
use futures::{StreamExt, TryStreamExt};
use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use super::catching_up::seen_again;
use crate::check::{OwnCopy, Settled, VerifiedCopy, VerifiedObjects, settled};
use crate::copy::{Copying, Ending};
use crate::database::{Decisions, KeyRange, Ledger, LedgerObject, MayWrite, ObjectMark, ObjectState, Tally};
use crate::report::progress::Phase;
use crate::report::text::printable;
use crate::run::looks::{Look, changed};
use crate::run::ways::Ways;
use crate::run::windows::{AT_ONCE, Objects, windows};
use crate::run::{Session, try_conditions};
use crate::store::{Bucket, CopyConditions, CopyObjects, ReadObjects, Scratch};

/// Problems of one kind that are shown one by one; the rest is counted, and verify lists it.
const SHOWN_MAX: u64 = 10;

/// What a worker works with.
pub(super) struct Work<'a, C> {
    pub(super) session: &'a Session,
    pub(super) ledger: Ledger,
    ways: Ways<'a, C>,
    scratch: Scratch,
    /// What the endpoint enforces, once it was tried.
    conditions: OnceCell<CopyConditions>,
    /// Whether it was tried, or is being tried.
    tried: AtomicBool,
    /// What a person has decided about twins that differ.
    pub(super) decisions: Decisions,
    done: Mutex<Done>,
}

/// Who is told of each ending, and what keeps further windows from being begun.
pub(super) type Shown<'a> = (&'a (dyn Fn(&Ending) + Sync), &'a CancellationToken);

/// What of a copy is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Count {
    /// The object and its bytes.
    Objects,
    /// Only the bytes: the object was counted when it was copied first.
    Bytes,
}

/// What this process has done so far.
#[derive(Default)]
struct Done {
    tally: Tally,
    shown: HashMap<&'static str, u64>,
}

impl<'a, C: CopyObjects> Work<'a, C> {
    pub(super) async fn new(session: &'a Session, ledger: Ledger, ways: Ways<'a, C>, scratch: Scratch) -> Result<Self> {
        let (decisions, conditions, tried) = (ledger.decisions().await?, OnceCell::new(), AtomicBool::new(false));
        Ok(Self { session, ledger, ways, scratch, conditions, tried, decisions, done: Mutex::default() })
    }

    /// What the endpoint enforces is tried once, before the first copy. Whoever waits for a trial that fails makes none of its own.
    pub(super) async fn prove_conditions(&self) -> Result<()> {
        let mut mine = None;
        let proving = async || {
            if self.tried.swap(true, Ordering::Relaxed) {
                bail!("what the endpoint enforces is not known: it was tried in vain");
            }
            let tried = mine.insert(try_conditions(self.session, self.ways.canary, &self.scratch).await?);
            Ok(tried.conditions())
        };
        self.conditions.get_or_try_init(proving).await?;
        // Copies go on meanwhile, and are not given up for what the next run removes as well.
        if let Some(tried) = mine
            && let Err(error) = tried.cleared().await
        {
            tracing::warn!("a scratch object may be left until the next run: {}", printable(&error.to_string()));
        }
        Ok(())
    }

    /// What this process has copied.
    pub(super) fn tally(&self) -> Tally {
        self.done().tally
    }

    /// Copies and checks what a pass has planned of a range, several windows at once; what became of each is written down in
    /// key order.
    pub(super) async fn copy_planned<R: MayWrite>(
        &self,
        objects: Objects,
        range: KeyRange,
        verified: &mut VerifiedObjects<'_, R>,
        (progress, halt): Shown<'_>,
    ) -> Result<()> {
        // Once a window fails no other is begun, and those under way are finished and written down.
        let halt = halt.child_token();
        let ended = windows(&self.ledger, objects, range)
            .try_take_while(|_| std::future::ready(Ok(!halt.is_cancelled())))
            .map_ok(|window| async {
                self.session.pace.brake().passed().await;
                let first = window.first().map(|object| object.source.to_string()).unwrap_or_default();
                let span = tracing::debug_span!("window", first, objects = window.len());
                self.window(undecided(window, &self.decisions), (progress, &halt)).instrument(span).await
            });
        let mut ended = std::pin::pin!(ended.try_buffered(AT_ONCE));
        let (sender, mut receiver) = tokio::sync::mpsc::channel(1);
        // While one window is written down the others go on: a stream stands still that is not asked.
        let feed = async {
            while let Some(window) = ended.next().await {
                window.is_err().then(|| halt.cancel());
                sender.send(window).await?;
            }
            drop(sender);
            Ok(())
        };
        let write = async {
            let mut failure = Ok(());
            while let Some(window) = receiver.recv().await {
                match window {
                    Ok(endings) => self.record(endings, verified, Count::Objects).await?,
                    Err(error) => failure = failure.and(Err(error)),
                }
            }
            failure
        };
        futures::future::try_join(feed, write).await?;
        self.session.interrupted()
    }

    /// Copies and checks a window. It is looked at while the endpoint may still be tried.
    async fn window(
        &self,
        objects: Vec<LedgerObject>,
        (progress, halt): Shown<'_>,
    ) -> Result<Vec<(LedgerObject, Ending)>> {
        let looked = self.copying().look(objects).await?;
        self.prove_conditions().await?;
        Ok(self.copying().looked_at(looked, halt, progress).await?)
    }

    pub(super) fn copying(&self) -> Copying<'a, Bucket, C> {
        let Session { stores, config, pace, .. } = self.session;
        let conditions = self.conditions.get().copied().unwrap_or(CopyConditions::NONE);
        let (source, target) = (&stores.source, &stores.target);
        Copying { source, target, copier: self.ways.copier, check: config.check, pace, conditions, moved: false }
    }

    /// Looks at verified objects of a range once more; what is not as it was checked any more is settled.
    pub(super) async fn look_again<R: MayWrite>(
        &self,
        look: Look,
        range: KeyRange,
        verified: &mut VerifiedObjects<'_, R>,
        looked: &(dyn Fn(u64) + Sync),
    ) -> Result<()> {
        for object in changed(self.session, &self.ledger, look, range, looked).await? {
            self.settle(object, look == Look::AfterCutover, verified).await?;
        }
        Ok(())
    }

    /// An object whose source changed: copied again over our own copy, or reported. `moved`: its rows have moved by now.
    async fn settle<R: MayWrite>(
        &self,
        object: LedgerObject,
        moved: bool,
        verified: &mut VerifiedObjects<'_, R>,
    ) -> Result<()> {
        self.prove_conditions().await?;
        let copying = Copying { moved, ..self.copying() };
        let (object, ending) = copying.one(object).await;
        self.record(vec![(object, seen_again(ending))], verified, Count::Bytes).await
    }

    pub(super) async fn record<R: MayWrite>(
        &self,
        endings: Vec<(LedgerObject, Ending)>,
        verified: &mut VerifiedObjects<'_, R>,
        count: Count,
    ) -> Result<()> {
        let mut copies: Vec<(VerifiedCopy, OwnCopy)> = Vec::new();
        let (mut marks, mut tally) = (Vec::new(), Tally::default());
        for (mut object, ending) in endings {
            if matches!(ending, Ending::Conflict(_) | Ending::SourceChanged)
                && let Some(settled) = self.settled(&object).await?
            {
                verified.add_settled(&self.ledger, settled).await?;
                continue;
            }
            let (state, detail) = match ending {
                Ending::Verified { copy, own, copied } => {
                    tally.objects += u64::from(copied.is_some() && count == Count::Objects);
                    tally.bytes += copied.unwrap_or_default();
                    copies.push((copy, own));
                    continue;
                }
                Ending::MissingSource => (ObjectState::MissingSource, "the source does not exist".to_owned()),
                Ending::Conflict(how) => (ObjectState::Conflict, format!("the target holds other bytes: {how}")),
                Ending::SourceChanged => {
                    (ObjectState::SourceChanged, "the source changed while it was copied".to_owned())
                }
                // Nothing is left to do, and what the ledger says of it stays true.
                Ending::TargetGone => continue,
                Ending::Failed(why) => (ObjectState::Failed, why),
            };
            self.warn(&object, state, &detail);
            object.state = state;
            marks.push(ObjectMark { object, size: None, detail, pass: 0 });
        }
        self.ledger.mark(verified.right(), &marks).await?;
        verified.add(&self.ledger, copies).await?;
        verified.right().tally(tally).await?;
        self.add(tally);
        Ok(())
    }

    fn add(&self, tally: Tally) {
        let mut done = self.done();
        done.tally.objects += tally.objects;
        done.tally.bytes += tally.bytes;
    }

    /// Whether a person has decided for the target, and both are still what they were then.
    async fn settled(&self, object: &LedgerObject) -> Result<Option<Settled>> {
        let Some(decision) = self.decisions.of(&object.source) else { return Ok(None) };
        let stores = &self.session.stores;
        let heads = futures::future::try_join(stores.source.head(&object.source), stores.target.head(&object.target));
        let (Some(source), Some(target)) = heads.await? else { return Ok(None) };
        Ok(settled(decision, &source.info, &target.info))
    }

    fn warn(&self, object: &LedgerObject, state: ObjectState, detail: &str) {
        let mut done = self.done();
        let shown = done.shown.entry(state.word()).or_default();
        *shown += 1;
        if *shown <= SHOWN_MAX {
            tracing::warn!(key = %printable(object.source.as_str()), "{}: {}", state.word(), printable(detail));
        } else if *shown == SHOWN_MAX + 1 {
            tracing::warn!("{}: more of them follow; verify lists each", state.word());
        }
    }

    fn done(&self) -> MutexGuard<'_, Done> {
        self.done.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A target that a person has decided to keep is not to be replaced, even if it was our copy once.
fn undecided(mut window: Vec<LedgerObject>, decisions: &Decisions) -> Vec<LedgerObject> {
    for object in window.iter_mut().filter(|object| decisions.of(&object.source).is_some()) {
        object.own_copy = false;
    }
    window
}

/// Shows an object that is done, with the bytes that were copied.
pub(super) fn show(phase: &Phase, ending: &Ending) {
    phase.add(1);
    phase.add_bytes(bytes(ending));
}

/// The bytes that were copied.
pub(super) fn bytes(ending: &Ending) -> u64 {
    match ending {
        Ending::Verified { copied, .. } => copied.unwrap_or_default(),
        Ending::MissingSource
        | Ending::Conflict(_)
        | Ending::SourceChanged
        | Ending::TargetGone
        | Ending::Failed(_) => 0,
    }
}
