//! Phase two: a fresh verify, the proof, orphans, confirmation, deletes.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use tracing::Instrument;

use super::approval::refuse_unapproved;
use super::files::{check_files, create_report};
use super::verifying::{ReportSink, inventories, is_fenced, set_grace_clock, tell};
use super::{Meter, Session, prove_conditions, refuse_one_bucket, sign_off, span};
use crate::check::Deletable;
use crate::config::{FinalizeOptions, Method};
use crate::copy::Copying;
use crate::database::{Ledger, LedgerName, LedgerView, RunLock};
use crate::failure::{Exit, Failure};
use crate::finalize::{Collected, Deleted, OrphansCopied, copy_orphans, delete_all, manifest_path, write_manifest};
use crate::finding::Finding;
use crate::report::summary::{FinalizeObjects, FinalizeSummary};
use crate::report::text::printable;
use crate::store::{Copier, CopyObjects, DeleteProof, Deleter, Inventories, ObjectInfo, Scratch, Streamer};
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
    let meter = session.meter();
    check_files(None, options)?;
    let (database, config) = (&session.database, &session.config);
    let name = LedgerName::new(&config.ledger_schema);
    let mut lock = RunLock::take(database, &name, config.lock_wait).await?;
    let ledger = Ledger::open(database, &mut lock, config, "finalize", session.activity()).await?;
    let report =
        options.report.clone().unwrap_or_else(|| PathBuf::from(format!("avatarMigrate-final-{}.csv", ledger.run())));
    let totals = FinalizeObjects::default();
    let mut run =
        FinalizeRun { session, options, lock: &lock, ledger: &ledger, report, reported: false, fenced: false, totals };
    let ended = run.steps(confirm).instrument(span("finalize", &ledger)).await;
    let ended = match ended {
        Ok(exit) => Ok(run.end(&meter, exit, Vec::new(), String::new())),
        Err(error) => match error.downcast::<Failure>() {
            Ok(Failure::Refused { reasons, hint }) => Ok(run.end(&meter, Exit::Refused, reasons, hint)),
            Ok(failure @ (Failure::Usage { .. } | Failure::Locked { .. } | Failure::Interrupted)) => {
                Err(failure.into())
            }
            Err(error) => Err(error),
        },
    };
    sign_off(ended, |end| end.exit, ledger, lock).await
}

struct FinalizeRun<'a> {
    session: &'a Session,
    options: &'a FinalizeOptions,
    lock: &'a RunLock,
    ledger: &'a Ledger,
    report: PathBuf,
    /// Whether the report is written.
    reported: bool,
    /// Whether every reference is fenced.
    fenced: bool,
    totals: FinalizeObjects,
}

impl FinalizeRun<'_> {
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

    /// By the way that the rest was copied: a server-side copy between two servers cannot succeed.
    async fn copy_orphans(&mut self, collected: &mut Collected) -> Result<()> {
        if collected.orphans.is_empty() {
            return Ok(());
        }
        let (stores, sizes) = (&self.session.stores, self.session.part_sizes());
        let (source, target) = (stores.source.clone(), stores.target.clone());
        let copied = match self.session.config.method {
            Method::Copy | Method::Sync => {
                let canary = Copier::new(target.clone(), target.clone(), sizes);
                self.copy_orphans_by(&self.session.copier(), &canary, collected).await?
            }
            Method::Stream => {
                let canary = Streamer::new(target.clone(), target.clone(), sizes);
                self.copy_orphans_by(&Streamer::new(source, target, sizes), &canary, collected).await?
            }
        };
        self.totals.orphans_copied = copied.copied;
        self.totals.failed += copied.failed.0;
        for why in &copied.failed.1 {
            tracing::warn!("{}", printable(why));
        }
        Ok(())
    }

    async fn copy_orphans_by<C: CopyObjects>(
        &self,
        copier: &C,
        canary: &C,
        collected: &mut Collected,
    ) -> Result<OrphansCopied> {
        let Session { config, stores, pace, stop, progress, .. } = self.session;
        let conditions = prove_conditions(self.session, canary, &Scratch::of_run(self.ledger.run())).await?;
        let (source, target) = (&stores.source, &stores.target);
        let copying = Copying { source, target, copier, check: config.check, pace, conditions, moved: false };
        let phase = progress.phase("copy orphans", Some(collected.orphans.len()), "objects");
        let scope = (self.lock, self.ledger, config);
        let copied = copy_orphans(&copying, scope, collected, stop, || phase.add(1)).await?;
        phase.finish();
        Ok(copied)
    }

    async fn delete(
        &self,
        verified: &Verified,
        evidence: crate::check::EvidenceSpool,
        proof: ZeroLegacyProof<'_>,
        clean_for_seconds: Option<i64>,
        confirm: &Confirm<'_>,
    ) -> Result<Deleted> {
        let Session { database, config, stores, stop, progress, .. } = self.session;
        if let Some(most) = self.options.max_delete.filter(|most| evidence.len() > *most) {
            let reason = format!("{} objects would be deleted, more than --max-delete {most}", evidence.len());
            let hint = "look into the report, then raise --max-delete".to_owned();
            return Err(Failure::Refused { reasons: vec![reason], hint }.into());
        }
        let evidence = match &self.options.approved {
            Some(approved) => refuse_unapproved(approved, config, evidence)?,
            None => evidence,
        };
        let deleter = self.deleter().await?;
        let manifest = manifest_path(&self.report);
        let asked = Confirmation {
            bucket: config.source.bucket.clone(),
            deletes: evidence.len(),
            orphans_copied: self.totals.orphans_copied,
            kept: self.totals.kept,
            clean_for_seconds,
            excluded: if verified.counts.excluded > 0 {
                config.exclude_references.iter().map(ToString::to_string).collect()
            } else {
                Vec::new()
            },
            fenced: proof.is_fenced(),
            conditional: deleter.mode() != crate::store::DeleteMode::Compare,
            manifest: manifest.clone(),
        };
        if !self.options.yes && !confirm(&asked)? {
            let hint = "nothing was deleted; run finalize again and type the bucket's name, or give --yes".to_owned();
            return Err(Failure::Refused { reasons: vec!["the deletion was not confirmed".to_owned()], hint }.into());
        }
        let evidence = write_manifest(&manifest, config, evidence)?;
        let phase = progress.phase("delete", Some(evidence.len()), "objects");
        let scope = (database, self.lock, self.ledger, config);
        // What an inventory shows is hours old: both sides are looked at right before they go.
        let look = (!config.inventories.is_empty()).then_some((&stores.source, &stores.target));
        let evidence = (evidence, look);
        let deleted = delete_all(&deleter, proof, scope, evidence, stop, |objects| phase.add(objects)).await?;
        phase.finish();
        Ok(deleted)
    }

    async fn deleter(&self) -> Result<Deleter> {
        let scratch = Scratch::of_run(self.ledger.run());
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
