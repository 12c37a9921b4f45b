//! Phase two: a fresh verify, the proof, orphans, confirmation, deletes.

mod deleting;
mod hands;
mod together;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use tracing::Instrument;

use self::hands::Hands;
use super::files::{check_files, create_report};
use super::seats::Seat;
use super::verifying::{ReportSink, inventories, is_fenced, set_grace_clock, tell};
use super::ways::Ways;
use super::{Meter, Session, sign_off, span};
use crate::check::Deletable;
use crate::config::{FinalizeOptions, Method};
use crate::database::{Ledger, LedgerName, LedgerView, RunLock};
use crate::failure::{Exit, Failure};
use crate::finalize::{Collected, Deleted, OrphansCopied, copy_orphans};
use crate::finding::Finding;
use crate::report::summary::{FinalizeObjects, FinalizeSummary};
use crate::report::text::printable;
use crate::store::{Copier, CopyObjects, Inventories, ObjectInfo, Streamer};
use crate::verify::{Kept, Sink, Stage, Verified, ZeroLegacyProof, verify};

/// Orphans that are more than this part of the objects in scope hint at a wrong database or a forgotten table.
const ORPHANS_PERCENT: u64 = 20;

/// What is about to be deleted: what a person confirms.
#[derive(Clone, Debug)]
pub struct Confirmation {
    /// The bucket whose objects go; its name is to be typed.
    pub bucket: String,
    /// How many objects go.
    pub deletes: u64,
    /// How many of them were orphans that live in production now.
    pub orphans_copied: u64,
    /// How many objects stay.
    pub kept: u64,
    /// For how many seconds no legacy row was seen, by the database's clock.
    pub clean_for_seconds: Option<i64>,
    /// Excluded columns that still hold legacy paths.
    pub excluded: Vec<String>,
    /// Whether the database itself refuses new legacy paths.
    pub fenced: bool,
    /// Whether conditions guard the deletes.
    pub conditional: bool,
    /// Where the manifest of the deletes will be.
    pub manifest: PathBuf,
}

/// Asks a person; `Ok(false)` is a no.
pub type Confirm<'a> = dyn Fn(&Confirmation) -> Result<bool> + Sync + 'a;

/// How `finalize` ended: also a refusal has a summary and a report.
#[derive(Debug)]
pub struct FinalizeEnd {
    /// The summary.
    pub summary: FinalizeSummary,
    /// The exit code.
    pub exit: Exit,
    /// What to do next after a refusal.
    pub hint: String,
}

/// Runs `finalize`.
///
/// # Errors
/// What keeps the command from going on. A refusal is no error: its reasons are in the summary.
pub async fn finalize(session: &Session, options: &FinalizeOptions, confirm: &Confirm<'_>) -> Result<FinalizeEnd> {
    check_files(None, options)?;
    let sizes = session.part_sizes();
    let (source, target) = (session.stores.source.clone(), session.stores.target.clone());
    // Orphans go by the way that the rest was copied: a server-side copy between two servers cannot succeed.
    match session.config.method {
        Method::Copy | Method::Sync => {
            let canary = Copier::new(target.clone(), target.clone(), sizes);
            run(session, options, confirm, Ways { copier: &session.copier(), canary: &canary }).await
        }
        Method::Stream => {
            let canary = Streamer::new(target.clone(), target.clone(), sizes);
            let ways = Ways { copier: &Streamer::new(source, target, sizes), canary: &canary };
            run(session, options, confirm, ways).await
        }
    }
}

async fn run<C: CopyObjects>(
    session: &Session,
    options: &FinalizeOptions,
    confirm: &Confirm<'_>,
    ways: Ways<'_, C>,
) -> Result<FinalizeEnd> {
    if let Some(sharing) = session.config.sharing {
        return together::run(session, options, confirm, ways, sharing).await;
    }
    let meter = session.meter();
    let (database, config) = (&session.database, &session.config);
    let name = LedgerName::new(&config.ledger_schema);
    let mut lock = RunLock::take(database, &name, config.lock_wait).await?;
    let ledger = Ledger::open(database, &mut lock, config, "finalize", session.activity()).await?;
    let hands = Hands::new(session, options, &ledger, ways, None);
    let ended = FinalizeRun::new(&hands, &lock).ended(confirm, &meter).await;
    sign_off(ended, |end| end.exit, ledger, lock).await
}

/// A run by its holder: alone, or with a crew.
struct FinalizeRun<'a, C> {
    session: &'a Session,
    options: &'a FinalizeOptions,
    hands: &'a Hands<'a, C>,
    lock: &'a RunLock,
    ledger: &'a Ledger,
    report: PathBuf,
    /// Whether the report is written.
    reported: bool,
    /// Whether every reference is fenced.
    fenced: bool,
    totals: FinalizeObjects,
}

impl<'a, C: CopyObjects> FinalizeRun<'a, C> {
    fn new(hands: &'a Hands<'a, C>, lock: &'a RunLock) -> Self {
        let (session, options, ledger) = (hands.session, hands.options, hands.ledger);
        let named = options.report.clone();
        let report = named.unwrap_or_else(|| PathBuf::from(format!("avatarMigrate-final-{}.csv", ledger.run())));
        let totals = FinalizeObjects::default();
        Self { session, options, hands, lock, ledger, report, reported: false, fenced: false, totals }
    }

    async fn ended(mut self, confirm: &Confirm<'_>, meter: &Meter) -> Result<FinalizeEnd> {
        let span = span("finalize", self.ledger);
        match self.steps(confirm).instrument(span).await {
            Ok(exit) => Ok(self.end(meter, exit, Vec::new(), String::new())),
            Err(error) => match error.downcast::<Failure>() {
                Ok(Failure::Refused { reasons, hint }) => Ok(self.end(meter, Exit::Refused, reasons, hint)),
                Ok(failure @ (Failure::Usage { .. } | Failure::Locked { .. } | Failure::Interrupted)) => {
                    Err(failure.into())
                }
                Err(error) => Err(error),
            },
        }
    }

    fn end(&self, meter: &Meter, exit: Exit, reasons: Vec<String>, hint: String) -> FinalizeEnd {
        let summary = FinalizeSummary {
            finalizable: exit != Exit::Refused,
            fenced: self.fenced,
            objects: self.totals,
            work_is_left: exit == Exit::Left,
            report: self.reported.then(|| self.report.clone()),
            requests: meter.requests(self.session),
            elapsed: meter.elapsed(),
            reasons,
            shared: self.hands.seat.map(Seat::part),
        };
        FinalizeEnd { summary, exit, hint }
    }

    async fn steps(&mut self, confirm: &Confirm<'_>) -> Result<Exit> {
        self.refuse_elsewhere().await?;
        let Session { database, config, .. } = self.session;
        let inventories = inventories(self.session).await?;
        let (verified, mut collected) = self.verify(&inventories).await?;
        self.reported = true;
        self.fenced = is_fenced(self.session, &verified).await?;
        set_grace_clock(self.session, verified.counts.legacy + verified.counts.suspect == 0).await;
        let proof = ZeroLegacyProof::after(self.lock, database, config, &verified).await?;
        let clean_for_seconds = self.check_grace().await?;
        self.check_orphans(&verified)?;
        self.copy_orphans(&mut collected).await?;
        self.totals.kept = collected.kept;
        let deleted = if collected.evidence.is_empty() {
            Deleted::default()
        } else {
            self.delete(&verified, collected.evidence, proof, clean_for_seconds, confirm).await?
        };
        self.totals.deleted = deleted.deleted;
        self.totals.changed = deleted.changed;
        self.totals.failed += deleted.failed.0;
        for why in &deleted.failed.1 {
            tracing::warn!("not deleted: {}", printable(why));
        }
        for reason in &deleted.stopped {
            tracing::warn!("stopped before the last batch: {}", printable(reason));
        }
        if deleted.interrupted {
            return Err(Failure::Interrupted.into());
        }
        if collected.young > 0 {
            let age = crate::report::text::duration(self.options.orphan_min_age);
            tracing::warn!("{} orphans are younger than {age} and stay: run finalize again later", collected.young);
        }
        let left = collected.young + collected.problems + self.totals.changed + self.totals.failed;
        Ok(super::exit(left == 0 && deleted.stopped.is_empty()))
    }

    /// Another schema or bucket than the one that was copied last is most likely a mistake.
    async fn refuse_elsewhere(&self) -> Result<()> {
        let Some(elsewhere) = self.ledger.last_copy_elsewhere(self.session.database.schema()).await? else {
            return Ok(());
        };
        let reason =
            format!("the last copy of this schema was made with other settings: {}", elsewhere.replace('\n', ", "));
        let hint =
            "give the same buckets, prefixes and pattern to copy and finalize, or run copy with these first".to_owned();
        Err(Failure::Refused { reasons: vec![reason], hint }.into())
    }

    async fn verify(&self, inventories: &Inventories) -> Result<(Verified, Collected)> {
        let Session { database, config, stores, pace, stop, .. } = self.session;
        let collected = Collected::new(config, self.options)?;
        let mut sink = FinalSink { report: ReportSink::new(self.session, create_report(&self.report)?), collected };
        let verified =
            verify(database, (&stores.source, &stores.target, inventories), config, pace, stop, &mut sink).await?;
        sink.report.finish()?;
        tell(self.session, &verified);
        Ok((verified, sink.collected))
    }

    async fn check_grace(&self) -> Result<Option<i64>> {
        let view = LedgerView::open(&self.session.database, &self.session.config).await;
        let seconds = match view {
            Some(view) => view.clean_for_seconds().await?,
            None => None,
        };
        let clean_for = Duration::from_secs(u64::try_from(seconds.unwrap_or_default()).unwrap_or_default());
        if clean_for < self.options.grace {
            let text = crate::report::text::duration;
            let reason = format!(
                "the schema has been clean for {}, less than --grace {}",
                text(clean_for),
                text(self.options.grace)
            );
            let hint =
                "run finalize again later; any legacy row that is seen meanwhile begins the time anew".to_owned();
            return Err(Failure::Refused { reasons: vec![reason], hint }.into());
        }
        Ok(seconds)
    }

    fn check_orphans(&self, verified: &Verified) -> Result<()> {
        let (orphans, objects) = (verified.counts.orphans, verified.counts.objects);
        if self.options.orphans.is_some() || orphans * 100 <= objects * ORPHANS_PERCENT {
            return Ok(());
        }
        let reason =
            format!("{orphans} of {objects} objects in scope are orphans: is a table or a database forgotten?");
        let hint =
            "look into the report; --orphans copy moves them to production, --orphans keep leaves them".to_owned();
        Err(Failure::Refused { reasons: vec![reason], hint }.into())
    }

    async fn copy_orphans(&mut self, collected: &mut Collected) -> Result<()> {
        if collected.orphans.is_empty() {
            return Ok(());
        }
        let copied = match self.hands.seat {
            Some(seat) => self.copy_orphans_together(seat, collected).await?,
            None => self.copy_orphans_alone(collected).await?,
        };
        self.totals.orphans_copied = copied.copied;
        self.totals.failed += copied.failed.0;
        for why in &copied.failed.1 {
            tracing::warn!("{}", printable(why));
        }
        Ok(())
    }

    async fn copy_orphans_alone(&self, collected: &mut Collected) -> Result<OrphansCopied> {
        let Session { config, stop, progress, .. } = self.session;
        let copying = self.hands.copying().await?;
        let phase = progress.phase("copy orphans", Some(collected.orphans.len()), "objects");
        let scope = (self.lock, self.ledger, config);
        let copied = copy_orphans(&copying, scope, collected, stop, || phase.add(1)).await?;
        phase.finish();
        Ok(copied)
    }
}

struct FinalSink {
    report: ReportSink,
    collected: Collected,
}

impl Sink for FinalSink {
    fn begin(&mut self, stage: Stage) {
        self.report.begin(stage);
    }

    fn advance(&self, count: u64) {
        self.report.advance(count);
    }

    fn finding(&mut self, finding: Finding) -> Result<()> {
        self.report.finding(finding)
    }

    fn deletable(&mut self, evidence: &Deletable, orphan: Option<&ObjectInfo>) -> Result<()> {
        self.collected.deletable(evidence, orphan)
    }

    fn orphan(&mut self, source: &ObjectInfo) -> Result<()> {
        self.collected.orphan(source)
    }

    fn kept(&mut self, why: Kept) {
        self.collected.kept(why);
    }
}
