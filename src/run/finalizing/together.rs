//! A finalize that is shared: its holder verifies, has the proof, asks, and writes report and manifest; all workers copy
//! orphans and delete, each with a count of legacy rows of its own and a look at both sides.

use anyhow::Result;
use tokio::sync::Mutex;
use tracing::Instrument;

use super::hands::Hands;
use super::{Confirm, FinalizeEnd, FinalizeRun};
use crate::check::{EvidenceSpool, SharedEvidence};
use crate::config::{Config, FinalizeOptions, Sharing};
use crate::database::{Crew, CrewState, KeyRange, Ledger, RunLock, SharedSource, Stage, Task, Waiting, range_objects};
use crate::failure::{Exit, Failure};
use crate::finalize::{Collected, Deleted, OrphansCopied};
use crate::report::progress::Phase;
use crate::report::summary::{FinalizeSummary, SharedFinalize};
use crate::report::text::duration;
use crate::run::seats::{Free, News, Seat, Terms, take_seat};
use crate::run::ways::Ways;
use crate::run::{Meter, Session, span};
use crate::store::{CopyObjects, sweep_workers};
use crate::verify::{PlaceLost, ZeroLegacyProof};

/// Sources that go to or come from the ledger at a time.
const PAGE: usize = 1000;
/// Finalize has one pass.
const PASS: u32 = 1;

/// Joins the run that is there, or begins one.
pub(super) async fn run<C: CopyObjects>(
    session: &Session,
    options: &FinalizeOptions,
    confirm: &Confirm<'_>,
    ways: Ways<'_, C>,
    sharing: Sharing,
) -> Result<FinalizeEnd> {
    let meter = session.meter();
    let terms = terms(&session.config, options);
    loop {
        match take_seat(session, sharing, &terms).await? {
            // What an earlier holder has proved is not gone on with: a new run proves it afresh.
            Free::Holder(lock, _) => return hold(session, options, confirm, (ways, sharing), *lock, &terms).await,
            Free::Worker(crew) => {
                let seat = Seat::take(crew, false, sharing).await?;
                let followed = follow(session, options, ways, &seat, &meter).await;
                seat.leave().await;
                if let Some(ended) = followed? {
                    return Ok(ended);
                }
            }
        }
    }
}

/// What workers have to agree on, as any of them may come to hold the run.
fn terms(config: &Config, options: &FinalizeOptions) -> Terms {
    let yes = |switch: bool| if switch { "true".to_owned() } else { String::new() };
    let orphans = options.orphans.map(|orphans| format!("{orphans:?}").to_lowercase());
    Terms::new(
        "finalize",
        &[
            ("method", format!("{:?}", config.method).to_lowercase()),
            ("check", format!("{:?}", config.check).to_lowercase()),
            ("orphans", orphans.unwrap_or_default()),
            ("orphan-min-age", duration(options.orphan_min_age)),
            ("delete-superseded", yes(options.delete_superseded)),
            ("grace", duration(options.grace)),
            ("max-delete", options.max_delete.map(|most| most.to_string()).unwrap_or_default()),
            ("unconditional-delete", yes(options.unconditional_delete)),
        ],
    )
}

async fn hold<C: CopyObjects>(
    session: &Session,
    options: &FinalizeOptions,
    confirm: &Confirm<'_>,
    (ways, sharing): (Ways<'_, C>, Sharing),
    mut lock: RunLock,
    terms: &Terms,
) -> Result<FinalizeEnd> {
    let meter = session.meter();
    let Session { database, config, stores, .. } = session;
    let ledger = Ledger::open(database, &mut lock, config, terms.command, session.activity()).await?;
    let crew = Crew::begin(database, &ledger, &terms.text, sharing.lease).await?;
    let seat = Seat::take(crew, true, sharing).await?;
    let ended = async {
        seat.crew.hold(&lock, &seat.worker).await?;
        sweep_workers(&stores.source).await?;
        sweep_workers(&stores.target).await?;
        let hands = Hands::new(session, options, &ledger, ways, Some(&seat));
        FinalizeRun::new(&hands, &lock).ended(confirm, &meter).await
    };
    let ended = ended.await;
    let left = |end: &FinalizeEnd| Ok((end.exit, serde_json::to_string(&SharedFinalize::of(&end.summary))?));
    seat.sign_off(ended, left, ledger, lock).await
}

impl<C: CopyObjects> FinalizeRun<'_, C> {
    /// Lets all workers copy the orphans; evidence for their sources joins the rest.
    pub(super) async fn copy_orphans_together(&self, seat: &Seat, collected: &mut Collected) -> Result<OrphansCopied> {
        let (crew, orphans) = (&seat.crew, collected.orphans.len());
        let mut listed = collected.take_orphans(&self.session.config)?;
        loop {
            let page = listed.by_ref().take(PAGE).map(|orphan| {
                let (key, etag) = orphan?;
                Ok(SharedSource { key, waiting: Waiting::Orphan, detail: etag.as_str().to_owned() })
            });
            let page = page.collect::<Result<Vec<SharedSource>>>()?;
            if page.is_empty() {
                break;
            }
            crew.put_sources(self.lock, &page).await?;
        }
        let task = Task { stage: Stage::Orphans, pass: PASS };
        crew.cut_sources(self.lock, Waiting::Orphan, task, objects_a_range(seat, orphans)).await?;
        crew.set(self.lock, &seat.worker, task, 0).await?;
        let take = async |phase: &Phase| self.hands.take_ranges(seat, task, None, phase).await;
        seat.share(self.session, name(task.stage), task, take).await?;
        self.stop_sharing(seat).await?;
        let mut copied = OrphansCopied { copied: self.gather(seat, collected).await?, ..OrphansCopied::default() };
        collected.written_again(crew.count_sources(Waiting::Young).await?);
        for orphan in crew.sources(Waiting::Failed, &KeyRange::default(), PAGE).await? {
            copied.failed(&orphan.key, &orphan.detail);
        }
        copied.failed.0 = crew.count_sources(Waiting::Failed).await?;
        Ok(copied)
    }

    /// Takes the evidence that the workers have left; gives how much there is.
    async fn gather(&self, seat: &Seat, collected: &mut Collected) -> Result<u64> {
        let (mut left, mut gathered) = (KeyRange::default(), 0);
        loop {
            let page = SharedEvidence::of(&seat.crew).page(&left, PAGE).await?;
            let Some((last, _)) = page.last() else { return Ok(gathered) };
            left.after = Some(last.clone());
            for (_, evidence) in page {
                collected.evidence.push(&evidence)?;
                gathered += 1;
            }
        }
    }

    /// Lets all workers delete, each by the evidence that is left for it.
    pub(super) async fn delete_together(
        &self,
        seat: &Seat,
        evidence: EvidenceSpool,
        mut proof: ZeroLegacyProof<'_>,
    ) -> Result<Deleted> {
        let Session { database, config, .. } = self.session;
        let (crew, sources) = (&seat.crew, evidence.len());
        SharedEvidence::of(crew).put_all(self.lock, evidence).await?;
        let task = Task { stage: Stage::Delete, pass: PASS };
        crew.cut_sources(self.lock, Waiting::Deletable, task, objects_a_range(seat, sources)).await?;
        proof.renew(database, config).await?;
        crew.set(self.lock, &seat.worker, task, 0).await?;
        let proof = Mutex::new(proof);
        let take = async |phase: &Phase| self.hands.take_ranges(seat, task, Some(&proof), phase).await;
        let shared = seat.share(self.session, name(task.stage), task, take).await;
        self.stop_sharing(seat).await?;
        let tally = crew.tallied(Stage::Delete).await?;
        let failed = (tally.failed, Vec::new());
        let deleted = Deleted { deleted: tally.objects, changed: tally.changed, failed, ..Deleted::default() };
        match shared.map_err(anyhow::Error::downcast) {
            Ok(()) => Ok(deleted),
            // Nothing is deleted yet: that is a refusal. Later on it is work that is left.
            Err(Ok(Failure::Refused { reasons, .. })) if tally.objects > 0 => {
                Ok(Deleted { stopped: reasons, ..deleted })
            }
            Err(Ok(Failure::Interrupted)) => Ok(Deleted { interrupted: true, ..deleted }),
            Err(Ok(failure)) => Err(failure.into()),
            Err(Err(error)) => Err(error),
        }
    }

    async fn stop_sharing(&self, seat: &Seat) -> Result<()> {
        seat.crew.set(self.lock, &seat.worker, Task { stage: Stage::Alone, pass: PASS }, 0).await
    }
}

fn objects_a_range(seat: &Seat, objects: u64) -> u64 {
    seat.sharing.range_objects.unwrap_or_else(|| range_objects(objects))
}

/// A worker's part of a run that another one holds: gives how the run ended; none if its holder is gone.
async fn follow<C: CopyObjects>(
    session: &Session,
    options: &FinalizeOptions,
    ways: Ways<'_, C>,
    seat: &Seat,
    meter: &Meter,
) -> Result<Option<FinalizeEnd>> {
    let Session { database, config, .. } = session;
    let ledger = Ledger::join(database, config, seat.crew.run()).await?;
    let hands = Hands::new(session, options, &ledger, ways, Some(seat));
    let take = async |task: Task, phase: &Phase| {
        if task.stage == Stage::Orphans {
            return hands.take_ranges(seat, task, None, phase).await;
        }
        match ZeroLegacyProof::joined(&seat.worker, database, config).await {
            Ok(proof) => hands.take_ranges(seat, task, Some(&Mutex::new(proof)), phase).await,
            // The stage has come to its end, or the holder is gone: the next look tells.
            Err(error) if error.is::<PlaceLost>() => Ok(0),
            Err(error) => Err(error),
        }
    };
    let followed = seat.follow(session, name, take).instrument(span("finalize", &ledger)).await;
    let ended = match followed {
        // The holder is gone, or this worker was taken for gone: nothing more is deleted by this seat.
        Err(error) if error.is::<PlaceLost>() => {
            let state = seat.crew.state().await?;
            match seat.news(&state)? {
                News::Over(exit) => Some((state, exit)),
                News::GoesOn | News::HolderGone => None,
            }
        }
        followed => followed?,
    };
    ended.map(|(state, exit)| end(session, seat, meter, &state, exit)).transpose()
}

/// What a worker says of a run that is over.
fn end(session: &Session, seat: &Seat, meter: &Meter, state: &CrewState, exit: Exit) -> Result<FinalizeEnd> {
    let of_all = state.summary.as_deref().map(serde_json::from_str::<SharedFinalize>).transpose()?;
    let own = FinalizeSummary {
        requests: meter.requests(session),
        elapsed: meter.elapsed(),
        work_is_left: exit == Exit::Left,
        shared: Some(seat.part()),
        ..FinalizeSummary::default()
    };
    let summary = of_all.unwrap_or_default().summary(own);
    Ok(FinalizeEnd { summary, exit, hint: String::new() })
}

/// What a stage is called where its progress is shown.
fn name(stage: Stage) -> &'static str {
    match stage {
        Stage::Orphans => "copy orphans",
        Stage::Alone | Stage::Copy | Stage::Look | Stage::LookAgain | Stage::Delete => stage.word(),
    }
}
