//! The look after COMMIT of runs that were cut off before they had made it: the next run makes it, as that run would have.
//!
//! No plan meets rows that have moved. Without this, a source that was written between the second look and COMMIT of a
//! killed run would leave its row with an older picture until a person decides. What such a run left is looked at by every
//! later one until one of them signs off. As that may be long after, production has to be older than the source here: the
//! application may have written the very bytes of our copy meanwhile, with the same ETag.

use anyhow::Result;
use futures::TryStreamExt;

use super::CopyRun;
use super::work::Count;
use crate::check::VerifiedObjects;
use crate::copy::{Copying, Ending};
use crate::database::{CutOff, KeyRange, LedgerObject, ObjectState};
use crate::run::looks::written_since;
use crate::run::windows::{Objects, windows};
use crate::store::{CopyObjects, ReadObjects};

impl<C: CopyObjects> CopyRun<'_, C> {
    /// Looks at the sources of what earlier runs have moved and may not have looked at again.
    pub(super) async fn catch_up(&self) -> Result<()> {
        for CutOff { run, signed_off } in self.work.ledger.runs_cut_off().await? {
            if !signed_off {
                tracing::info!("run {run} was cut off after it had moved rows: their sources are looked at once more");
                self.look_late(run, ObjectState::Verified).await?;
            }
            self.look_late(run, ObjectState::Failed).await?;
        }
        Ok(())
    }

    async fn look_late(&self, run: u64, state: ObjectState) -> Result<()> {
        let mut windows = std::pin::pin!(windows(&self.work.ledger, Objects::LeftBy(run, state), KeyRange::default()));
        while let Some(mut window) = windows.try_next().await? {
            self.work.session.interrupted()?;
            // What failed before any copy was made is for the plan, if a row still names it.
            window.retain(|object| state != ObjectState::Failed || object.own_copy);
            for object in written_since(&self.work.session.stores, &window).await? {
                self.settle_late(object).await?;
            }
        }
        Ok(())
    }

    async fn settle_late(&self, mut object: LedgerObject) -> Result<()> {
        self.work.prove_conditions().await?;
        object.own_copy &= self.work.decisions.of(&object.source).is_none() && !self.is_rewritten(&object).await?;
        let copying = Copying { moved: true, ..self.work.copying() };
        let (object, ending) = copying.one(object).await;
        let mut late = VerifiedObjects::without_rows(self.lock);
        self.work.record(vec![(object, seen_again(ending))], &mut late, Count::Objects).await
    }

    /// Whether production was written after the source: then it is no copy of what the source held before.
    async fn is_rewritten(&self, object: &LedgerObject) -> Result<bool> {
        let stores = &self.work.session.stores;
        let heads = futures::future::try_join(stores.source.head(&object.source), stores.target.head(&object.target));
        let (source, target) = heads.await?;
        Ok(source.zip(target).is_some_and(|(source, target)| target.info.modified_ms > source.info.modified_ms))
    }
}

/// The ending of an object that was equal when it was checked: what differs now has a source that changed.
pub(super) fn seen_again(ending: Ending) -> Ending {
    match ending {
        Ending::Conflict(_) => Ending::SourceChanged,
        other @ (Ending::Verified { .. }
        | Ending::MissingSource
        | Ending::SourceChanged
        | Ending::TargetGone
        | Ending::Failed(_)) => other,
    }
}
