//! The way back: a look at the sources, objects restored where asked for, the transaction, and a last look.

use std::time::Duration;

use anyhow::Result;
use tracing::Instrument;

use super::fencing::{drop_own_fence, fenced_now};
use super::verifying::set_grace_clock;
use super::{Meter, Session, exit, sign_off, span, try_conditions_in};
use crate::config::{Method, RollbackOptions};
use crate::copy::Copying;
use crate::database::{
    Ledger, LedgerName, PutBack, RunLock, SourceState, Tries, Undo, UndoCounts, preflight_undo, refused_by_schema,
    unfinished_finalize,
};
use crate::failure::{Exit, Failure};
use crate::report::summary::{RollbackLeft, RollbackObjects, RollbackRows, RollbackSummary};
use crate::report::text::{counted, duration, printable};
use crate::rollback::{Restored, Restoring, Sources, look_at_sources, put_back};
use crate::store::{Bucket, Copier, CopyConditions, CopyObjects, Scratch, Streamer};

/// For so long S3 accepts a request that was signed before its sender stopped (AWS: "Authenticating Requests").
const SIGNATURE_LIFE: Duration = Duration::from_secs(15 * 60);

/// What is about to go back: what a person confirms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RollbackConfirmation {
    /// The bucket that the rows will name again.
    pub bucket: String,
    /// How many rows go back.
    pub rows: u64,
    /// How many objects may have to be copied back first.
    pub restores: u64,
    /// How many rows the application has changed since.
    pub changed: u64,
    /// How many rows cannot go back.
    pub left: u64,
    /// Columns whose fence is taken away first, each `table.column`.
    pub fenced: Vec<String>,
}

/// Asks a person; `Ok(false)` is a no.
pub type ConfirmRollback<'a> = dyn Fn(&RollbackConfirmation) -> Result<bool> + Sync + 'a;

/// Runs `rollback`.
///
/// # Errors
/// What keeps the command from going on; [`Failure::Refused`] before anything is written.
pub async fn rollback(
    session: &Session,
    options: &RollbackOptions,
    confirm: &ConfirmRollback<'_>,
) -> Result<(RollbackSummary, Exit)> {
    let sizes = session.part_sizes();
    // The way back: what is copied from is the production bucket.
    let (from, to) = (session.stores.target.clone(), session.stores.source.clone());
    match session.config.method {
        Method::Copy | Method::Sync => {
            let canary = Copier::new(to.clone(), to.clone(), sizes);
            run(session, options, confirm, (&Copier::new(from, to, sizes), &canary)).await
        }
        Method::Stream => {
            let canary = Streamer::new(to.clone(), to.clone(), sizes);
            run(session, options, confirm, (&Streamer::new(from, to, sizes), &canary)).await
        }
    }
}

/// `canary` copies inside the legacy bucket, as `copier` does into it.
async fn run<C: CopyObjects>(
    session: &Session,
    options: &RollbackOptions,
    confirm: &ConfirmRollback<'_>,
    (copier, canary): (&C, &C),
) -> Result<(RollbackSummary, Exit)> {
    let meter = session.meter();
    let (database, config) = (&session.database, &session.config);
    let way = Way { session, options, copier, canary, meter: &meter };
    if options.dry_run {
        return way.dry().await;
    }
    let name = LedgerName::new(&config.ledger_schema);
    let mut lock = RunLock::take(database, &name, config.lock_wait).await?;
    let ledger = Ledger::open(database, &mut lock, config, "rollback", session.activity()).await?;
    let ended = way.steps(&lock, &ledger, confirm).instrument(span("rollback", &ledger)).await;
    sign_off(ended, |(_, exit)| *exit, ledger, lock).await
}

struct Way<'a, C> {
    session: &'a Session,
    options: &'a RollbackOptions,
    copier: &'a C,
    canary: &'a C,
    meter: &'a Meter,
}

impl<C: CopyObjects> Way<'_, C> {
    async fn steps(
        &self,
        lock: &RunLock,
        ledger: &Ledger,
        confirm: &ConfirmRollback<'_>,
    ) -> Result<(RollbackSummary, Exit)> {
        let Session { database, config, stores, stop, .. } = self.session;
        database.brake().passed().await;
        let mut undo = Undo::plan(database, lock, ledger, config).await?;
        let counts = undo.counts().await?;
        if counts.planned() == 0 {
            self.refuse_elsewhere(ledger).await?;
            return Ok(self.ended(Some(ledger.run()), &counts, &Restored::default(), 0));
        }
        preflight_undo(database, config, &undo.columns(), true).await?;
        refuse(self.unfinished().await?)?;
        let phase = self.session.progress.phase("look at sources", None, "objects");
        let (sources, mut seen) =
            look_at_sources(&undo, &stores.source, SourceState::Unseen, stop, |n| phase.add(n)).await?;
        phase.finish();
        refuse(self.missing(&sources))?;
        let counts = undo.counts().await?;
        self.tell(&undo, &counts);
        let fenced = fenced_now(self.session).await?;
        self.confirm(&counts, &sources, fenced.clone(), confirm)?;
        let mut restored = Restored::default();
        if sources.missing > 0 {
            restored = self.restore(&undo, Some(ledger.run()), sources.missing).await?;
            // What was copied back is looked at like any other source, and all others once more.
            (_, seen) = look_at_sources(&undo, &stores.source, SourceState::There, stop, |_| ()).await?;
        }
        self.session.interrupted()?;
        if !fenced.is_empty() {
            self.take_fence_away(lock).await?;
        }
        let phase = self.session.progress.phase("put rows back", None, "rows");
        let mut tries = Tries::default();
        let moved = loop {
            match put_back(seen, ledger).await? {
                PutBack::Moved(rows) => break rows,
                PutBack::MovedOutOfSight(rows) => {
                    undo = Undo::plan(database, lock, ledger, config).await?;
                    break rows;
                }
                PutBack::RolledBack(error) => {
                    tries.again(error).await.map_err(refused_by_schema)?;
                    self.session.interrupted()?;
                    undo = Undo::plan(database, lock, ledger, config).await?;
                    (_, seen) = look_at_sources(&undo, &stores.source, SourceState::Unseen, stop, |_| ()).await?;
                }
            }
        };
        phase.add(moved);
        phase.finish();
        if moved > 0 {
            set_grace_clock(self.session, false).await;
        }
        let vanished = self.look_again(&undo, ledger.run(), &mut restored).await?;
        Ok(self.ended(Some(ledger.run()), &undo.counts().await?, &restored, vanished))
    }

    /// The same plan and the same looks, without lock, ledger and copies.
    async fn dry(&self) -> Result<(RollbackSummary, Exit)> {
        let Session { database, config, stores, stop, .. } = self.session;
        let Some(undo) = Undo::plan_dry(database, config).await? else {
            return Ok(self.ended(None, &UndoCounts::default(), &Restored::default(), 0));
        };
        if undo.counts().await?.planned() == 0 {
            return Ok(self.ended(None, &UndoCounts::default(), &Restored::default(), 0));
        }
        preflight_undo(database, config, &undo.columns(), false).await?;
        let mut refused = self.unfinished().await?;
        let (sources, _) = look_at_sources(&undo, &stores.source, SourceState::Unseen, stop, |_| ()).await?;
        refused = refused.or_else(|| self.missing(&sources));
        let mut restored = Restored::default();
        let mut missing = sources.missing;
        if self.options.restore_objects && missing > 0 {
            restored = self.restore(&undo, None, missing).await?;
            missing = 0;
        }
        let counts = undo.counts().await?;
        self.tell(&undo, &counts);
        let fenced = fenced_now(self.session).await?;
        if !fenced.is_empty() {
            let columns = printable(&fenced.join(", "));
            self.session.progress.println(&format!("the fence would be taken away first: {columns}"));
        }
        let (mut summary, exit) = self.ended(None, &counts, &restored, missing);
        summary.reasons = refused.map(|refused| refused.reasons).unwrap_or_default();
        Ok((summary, exit))
    }

    /// After COMMIT: a source that went between the look and it, by a delete that was still on its way, is copied back.
    async fn look_again(&self, undo: &Undo<'_>, run: u64, restored: &mut Restored) -> Result<u64> {
        let Session { stores, stop, .. } = self.session;
        let (again, _) = look_at_sources(undo, &stores.source, SourceState::There, stop, |_| ()).await?;
        if again.missing == 0 {
            return Ok(0);
        }
        for key in &again.examples {
            tracing::warn!(key = %printable(key), "the source vanished while its rows went back");
        }
        if !self.options.restore_objects {
            return Ok(again.missing);
        }
        let late = self.restore(undo, Some(run), again.missing).await?;
        restored.restored += late.restored;
        restored.superseded += late.superseded;
        restored.missing += late.missing;
        restored.failed += late.failed;
        Ok(0)
    }

    /// Without a run it is a dry one, which only looks.
    async fn restore(&self, undo: &Undo<'_>, run: Option<u64>, missing: u64) -> Result<Restored> {
        let Session { stores, config, pace, stop, progress, .. } = self.session;
        let (source, target): (&Bucket, &Bucket) = (&stores.target, &stores.source);
        let conditions = match run {
            Some(run) => try_conditions_in(target, self.canary, &Scratch::of_run(run)).await?.cleared().await?,
            None => CopyConditions::NONE,
        };
        let copying =
            Copying { source, target, copier: self.copier, check: config.check, pace, conditions, moved: false };
        let restoring = Restoring { undo, copying, dry_run: run.is_none() };
        let phase = progress.phase("restore objects", Some(missing), "objects");
        let restored = restoring.restore(stop, |objects| phase.add(objects)).await?;
        phase.finish();
        for why in &restored.reasons {
            tracing::warn!("not copied back: {}", printable(why));
        }
        Ok(restored)
    }

    /// Last of all before the rows: whatever else could refuse has been asked.
    async fn take_fence_away(&self, lock: &RunLock) -> Result<()> {
        let dropped = drop_own_fence(self.session, lock).await.map_err(|error| match error.downcast() {
            Ok(Failure::Usage { message, hint }) => {
                let reasons = vec![format!("the fence refuses legacy paths and must be taken away first: {message}")];
                let hint = format!("{hint} Or let an administrator run: avatarMigrate fence --drop");
                Failure::Refused { reasons, hint }.into()
            }
            Ok(failure) => failure.into(),
            Err(error) => error,
        })?;
        self.session.progress.println(&format!("the fence was taken away: {}", printable(&dropped.join(", "))));
        Ok(())
    }

    fn confirm(
        &self,
        counts: &UndoCounts,
        sources: &Sources,
        fenced: Vec<String>,
        confirm: &ConfirmRollback<'_>,
    ) -> Result<()> {
        let rows = counts.ready + counts.missing;
        let asked = RollbackConfirmation {
            bucket: self.session.config.source.bucket.clone(),
            rows,
            restores: sources.missing,
            changed: counts.changed,
            left: counts.left() - rows,
            fenced,
        };
        if rows == 0 || self.options.yes || confirm(&asked)? {
            return Ok(());
        }
        let hint = "nothing was changed; run rollback again and type `rollback`, or give --yes".to_owned();
        Err(Failure::Refused { reasons: vec!["the rollback was not confirmed".to_owned()], hint }.into())
    }

    /// What cannot be undone is said before anything is.
    fn tell(&self, undo: &Undo<'_>, counts: &UndoCounts) {
        for why in undo.unreachable() {
            tracing::warn!("{}: its rows cannot go back", printable(&why));
        }
        let rows = |count| counted(count, "row", "rows");
        if counts.ambiguous > 0 {
            let rows = rows(counts.ambiguous);
            tracing::warn!("{rows} without a primary key cannot be told apart from others and will stay modern");
        }
        if counts.conflict > 0 {
            let rows = rows(counts.conflict);
            tracing::warn!("{rows} will stay modern, as another row holds the old path in a unique key");
        }
    }

    /// With other settings the journal of this migration is empty, which is no proof that there is nothing to undo.
    async fn refuse_elsewhere(&self, ledger: &Ledger) -> Result<()> {
        let Some(elsewhere) = ledger.last_copy_elsewhere(self.session.database.schema()).await? else { return Ok(()) };
        let reason =
            format!("the last copy of this schema was made with other settings: {}", elsewhere.replace('\n', ", "));
        let hint = "give rollback the buckets, prefixes and pattern that copy had".to_owned();
        refuse(Some(Refused { reasons: vec![reason], hint }))
    }

    /// A finalize that never ended may have deletes on their way (they are signed for a quarter of an hour).
    async fn unfinished(&self) -> Result<Option<Refused>> {
        let Some(holder) = unfinished_finalize(&self.session.database, &self.session.config).await? else {
            return Ok(None);
        };
        if !self.options.restore_objects {
            let reason = format!("a finalize never said how it ended and may have deleted objects: {holder}");
            let hint = "give --restore-objects: what it has deleted is copied back".to_owned();
            return Ok(Some(Refused { reasons: vec![reason], hint }));
        }
        let silent = Duration::from_secs(u64::try_from(holder.silent_seconds).unwrap_or_default());
        if silent >= SIGNATURE_LIFE || self.options.holder_is_dead {
            return Ok(None);
        }
        let wait = duration(SIGNATURE_LIFE - silent);
        let reason = format!("a finalize that never said how it ended may still have deletes on their way: {holder}");
        let hint = format!("wait for {wait}, or make sure that its process is gone and give --holder-is-dead");
        Ok(Some(Refused { reasons: vec![reason], hint }))
    }

    fn missing(&self, sources: &Sources) -> Option<Refused> {
        if sources.missing == 0 || self.options.restore_objects {
            return None;
        }
        let bucket = &self.session.config.source.bucket;
        let mut reasons =
            vec![format!("objects that the rows need and bucket {bucket} does not hold: {}", sources.missing)];
        reasons.extend(sources.examples.iter().cloned());
        let hint = "give --restore-objects, which copies back what production still holds".to_owned();
        Some(Refused { reasons, hint })
    }

    fn ended(
        &self,
        run: Option<u64>,
        counts: &UndoCounts,
        restored: &Restored,
        missing: u64,
    ) -> (RollbackSummary, Exit) {
        let dry_run = self.options.dry_run;
        // A dry run moves nothing: what is ready would move.
        let (moved, ready) = if dry_run { (counts.ready, 0) } else { (counts.moved, counts.ready) };
        let summary = RollbackSummary {
            run,
            rows: RollbackRows {
                planned: counts.planned(),
                restored: moved,
                changed: counts.changed,
                left: counts.planned() - moved - counts.changed,
            },
            objects: RollbackObjects {
                restored: restored.restored,
                superseded: restored.superseded,
                missing: restored.missing + missing,
                failed: restored.failed,
            },
            requests: self.meter.requests(self.session),
            elapsed: self.meter.elapsed(),
            dry_run,
            reasons: Vec::new(),
            left: RollbackLeft {
                conflict: counts.conflict,
                ambiguous: counts.ambiguous,
                unreachable: counts.unreachable,
                without_object: counts.missing + counts.superseded + counts.failed + ready,
            },
        };
        let exit = exit(!summary.work_is_left());
        (summary, exit)
    }
}

/// Why a real run refuses, and what to do about it.
struct Refused {
    reasons: Vec<String>,
    hint: String,
}

fn refuse(refused: Option<Refused>) -> Result<()> {
    match refused {
        None => Ok(()),
        Some(Refused { reasons, hint }) => Err(Failure::Refused { reasons, hint }.into()),
    }
}
