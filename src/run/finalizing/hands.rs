//! What a worker of finalize works with: the holder of the run, or one that has joined it.

use std::collections::HashMap;

use anyhow::{Result, bail};
use tokio::sync::{Mutex, OnceCell};
use tokio_util::sync::CancellationToken;

use crate::check::{Deletable, SharedEvidence, VerifiedObjects};
use crate::config::FinalizeOptions;
use crate::copy::Copying;
use crate::database::{KeyRange, Lease, Ledger, MayWrite, SharedSource, Stage, Tally, Task, Waiting};
use crate::failure::Failure;
use crate::finalize::{OrphanEnd, copy_listed, delete_all};
use crate::pace::Pace;
use crate::path::{ETag, ObjectKey};
use crate::report::progress::Phase;
use crate::report::text::printable;
use crate::run::seats::{RANGES_AT_ONCE, Seat, give_back};
use crate::run::ways::Ways;
use crate::run::{Session, refuse_one_bucket, try_conditions};
use crate::store::{Bucket, CopyConditions, CopyObjects, DeleteProof, Deleter, Scratch};
use crate::verify::ZeroLegacyProof;

/// Orphans that are looked at together.
const WINDOW: usize = 1000;
/// Evidence that is read together: as many batches as may be under way at once.
const PAGE: usize = 10_000;

/// What a worker works with.
pub(super) struct Hands<'a, C> {
    pub(super) session: &'a Session,
    pub(super) options: &'a FinalizeOptions,
    pub(super) ledger: &'a Ledger,
    ways: Ways<'a, C>,
    /// Its place among the workers, if the run is shared.
    pub(super) seat: Option<&'a Seat>,
    /// What the endpoints enforce, once it was tried.
    conditions: OnceCell<CopyConditions>,
    deleter: OnceCell<Deleter>,
    /// How many batches of deletes run at once.
    pub(super) batches: Pace,
}

impl<'a, C: CopyObjects> Hands<'a, C> {
    pub(super) fn new(
        session: &'a Session,
        options: &'a FinalizeOptions,
        ledger: &'a Ledger,
        ways: Ways<'a, C>,
        seat: Option<&'a Seat>,
    ) -> Self {
        let (conditions, deleter) = (OnceCell::new(), OnceCell::new());
        let (throttles, brake) = (session.stores.requests.throttles(), session.database.brake().clone());
        let batches = Pace::of_batches(session.config.concurrency, throttles, brake);
        Self { session, options, ledger, ways, seat, conditions, deleter, batches }
    }

    fn scratch(&self) -> Scratch {
        self.seat.map_or_else(|| Scratch::of_run(self.ledger.run()), Seat::scratch)
    }

    /// The way to copy, with what the endpoint was seen to enforce.
    pub(super) async fn copying(&self) -> Result<Copying<'a, Bucket, C>> {
        let Session { config, stores, pace, .. } = self.session;
        let scratch = self.scratch();
        let proving =
            async || anyhow::Ok(try_conditions(self.session, self.ways.canary, &scratch).await?.cleared().await?);
        let conditions = *self.conditions.get_or_try_init(proving).await?;
        let (source, target) = (&stores.source, &stores.target);
        let (copier, check) = (self.ways.copier, config.check);
        Ok(Copying { source, target, copier, check, pace, conditions, moved: false })
    }

    /// What deletes, after a proof of what the endpoint enforces.
    pub(super) async fn deleter(&self) -> Result<&Deleter> {
        self.deleter.get_or_try_init(|| self.prove_deletes()).await
    }

    async fn prove_deletes(&self) -> Result<Deleter> {
        let scratch = self.scratch();
        refuse_one_bucket(self.session, &scratch).await?;
        match Deleter::prove(self.session.stores.source.clone(), &scratch).await? {
            DeleteProof::Enforced(deleter) => Ok(deleter),
            DeleteProof::NotEnforced(unenforced) if self.options.unconditional_delete => {
                tracing::warn!(
                    "the endpoint ignores conditions on deletes: each object is compared right before it goes"
                );
                Ok(unenforced.compare_instead())
            }
            DeleteProof::NotEnforced(_) => {
                let reason = "the endpoint of the legacy bucket ignores conditions on deletes, so that an object written in \
                              the last moment would be lost";
                let hint = "stop writers to the legacy bucket and give --unconditional-delete, which compares each object \
                            right before it deletes it";
                Err(Failure::Refused { reasons: vec![reason.to_owned()], hint: hint.to_owned() }.into())
            }
        }
    }

    /// Takes ranges of a stage until none is free; gives how many it has done. `proof` is needed to delete.
    pub(super) async fn take_ranges(
        &self,
        seat: &Seat,
        task: Task,
        proof: Option<&Mutex<ZeroLegacyProof<'_>>>,
        phase: &Phase,
    ) -> Result<u64> {
        let halt = self.session.stop.child_token();
        // Deletes have batches of their own under way together.
        let at_once = if task.stage == Stage::Delete { 1 } else { RANGES_AT_ONCE };
        seat.take_ranges(self.session, (task, at_once), &halt, |lease| {
            self.range(seat, lease, (task, proof), (phase, &halt))
        })
        .await
    }

    async fn range(
        &self,
        seat: &Seat,
        lease: Lease,
        (task, proof): (Task, Option<&Mutex<ZeroLegacyProof<'_>>>),
        (phase, halt): (&Phase, &CancellationToken),
    ) -> Result<()> {
        match (task.stage, proof) {
            (Stage::Orphans, _) => self.copy_range(seat, &lease, (phase, halt)).await?,
            (Stage::Delete, Some(proof)) => self.delete_range(seat, &lease, &mut *proof.lock().await).await?,
            (stage, _) => bail!("finalize has no stage `{}`", stage.word()),
        }
        give_back(lease, halt).await
    }

    /// Copies the orphans of a range; what became of each is left for the holder.
    async fn copy_range(&self, seat: &Seat, lease: &Lease, (phase, halt): (&Phase, &CancellationToken)) -> Result<()> {
        let copying = self.copying().await?;
        let mut verified = VerifiedObjects::without_rows(lease);
        let mut left = lease.range().clone();
        loop {
            let page = seat.crew.sources(Waiting::Orphan, &left, WINDOW).await?;
            let Some(last) = page.last() else { return Ok(()) };
            left.after = Some(last.key.clone());
            let listed: HashMap<ObjectKey, ETag> =
                page.iter().map(|orphan| (orphan.key.clone(), ETag::new(&orphan.detail))).collect();
            let ends = copy_listed(&copying, &self.session.config, listed, halt, || {}).await?;
            let (mut evidence, mut stay, mut copies) = (Vec::new(), Vec::new(), Vec::new());
            let mut tally = Tally::default();
            for end in ends {
                match end {
                    OrphanEnd::Lives(copy, own) => {
                        tally.objects += 1;
                        tally.bytes += copy.size();
                        evidence.push((Deletable::Twin(copy), own));
                    }
                    OrphanEnd::WrittenAgain(copy, own) => {
                        stay.push(stays(copy.source().clone(), Waiting::Young, "written again since it was listed"));
                        copies.push((copy, own));
                    }
                    OrphanEnd::Failed(source, why) => {
                        tally.failed += 1;
                        stay.push(stays(source, Waiting::Failed, &why));
                    }
                    OrphanEnd::Gone => {}
                }
            }
            let (evidence, own): (Vec<Deletable>, Vec<_>) = evidence.into_iter().unzip();
            SharedEvidence::of(&seat.crew).put(lease, &evidence).await?;
            seat.crew.put_sources(lease, &stay).await?;
            copies.extend(evidence.into_iter().filter_map(Deletable::into_copy).zip(own));
            verified.add(self.ledger, copies).await?;
            phase.add_bytes(tally.bytes);
            lease.tally(tally).await?;
            self.session.interrupted()?;
        }
    }

    /// Deletes the sources of a range that still are what the evidence says, as is their twin: another process has made it.
    async fn delete_range(&self, seat: &Seat, lease: &Lease, proof: &mut ZeroLegacyProof<'_>) -> Result<()> {
        let Session { database, config, stores, stop, .. } = self.session;
        let deleter = self.deleter().await?;
        let mut left: KeyRange = lease.range().clone();
        loop {
            let page = SharedEvidence::of(&seat.crew).page(&left, PAGE).await?;
            let Some((last, _)) = page.last() else { break };
            left.after = Some(last.clone());
            let evidence = page.into_iter().map(|(_, evidence)| Ok(evidence));
            let look = Some((&stores.source, &stores.target));
            let scope = (database, lease, self.ledger, config);
            let deleted = delete_all((deleter, &self.batches), proof, scope, (evidence, look), stop, |_| {}).await?;
            let tally =
                Tally { objects: deleted.deleted, bytes: 0, changed: deleted.changed, failed: deleted.failed.0 };
            lease.tally(tally).await?;
            for why in &deleted.failed.1 {
                tracing::warn!("not deleted: {}", printable(why));
            }
            if deleted.interrupted {
                return Err(Failure::Interrupted.into());
            }
            if !deleted.stopped.is_empty() {
                let hint = "stop what writes legacy paths, then run copy and finalize again".to_owned();
                return Err(Failure::Refused { reasons: deleted.stopped, hint }.into());
            }
        }
        lease.forget_sources().await
    }
}

fn stays(key: ObjectKey, waiting: Waiting, why: &str) -> SharedSource {
    SharedSource { key, waiting, detail: why.to_owned() }
}
