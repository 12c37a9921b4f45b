//! Phase one: passes of plan, copy, check and cutover, until only rows that cannot move are left.

mod catching_up;
mod passes;

use std::collections::HashMap;

use anyhow::Result;
use futures::{StreamExt, TryStreamExt};
use tracing::Instrument;

use self::catching_up::seen_again;
use super::looks::{Look, changed};
use super::windows::{AT_ONCE, Objects, windows};
use super::{Meter, Session, dry, exit, prove_conditions, sign_off, span, sync};
use crate::check::{OwnCopy, Settled, VerifiedCopy, VerifiedObjects, settled};
use crate::config::{ColumnName, CopyOptions, Method};
use crate::copy::{Copying, Ending};
use crate::cutover::{Moved, cut_over};
use crate::database::{
    ColumnSurvey, Decisions, Ledger, LedgerName, LedgerObject, ObjectMark, ObjectState, RunLock, TextColumn, Turn,
    count_blocked_rows, count_paths, preflight, references, survey,
};
use crate::failure::Exit;
use crate::report::progress::Phase;
use crate::report::summary::{CopyObjects as ObjectTotals, CopyRows, CopySummary, Watched};
use crate::report::text::printable;
use crate::store::{Copier, CopyConditions, CopyObjects, ReadObjects, Streamer};

/// Problems of one kind that are shown one by one; the rest is counted, and verify lists it.
const SHOWN_MAX: u64 = 10;

/// Runs `copy`.
///
/// # Errors
/// What keeps the command from going on; endings of rows and objects are in the summary.
pub async fn copy(session: &Session, options: &CopyOptions) -> Result<(CopySummary, Exit)> {
    if options.dry_run {
        return dry::run(session, options).await;
    }
    let sizes = session.part_sizes();
    let (source, target) = (session.stores.source.clone(), session.stores.target.clone());
    match session.config.method {
        Method::Copy | Method::Sync => {
            let canary = Copier::new(target.clone(), target.clone(), sizes);
            run(session, options, &session.copier(), &canary).await
        }
        Method::Stream => {
            let canary = Streamer::new(target.clone(), target.clone(), sizes);
            run(session, options, &Streamer::new(source, target, sizes), &canary).await
        }
    }
}

/// `canary` copies inside the production bucket, as `copier` does between the two.
async fn run<C: CopyObjects>(
    session: &Session,
    options: &CopyOptions,
    copier: &C,
    canary: &C,
) -> Result<(CopySummary, Exit)> {
    let meter = session.meter();
    let (database, config) = (&session.database, &session.config);
    let name = LedgerName::new(&config.ledger_schema);
    let mut lock = RunLock::take(database, &name, config.lock_wait).await?;
    let phase = session.progress.phase("survey", None, "columns");
    let surveys = survey(database, config).await?;
    phase.add(u64::try_from(surveys.len())?);
    phase.finish();
    let found = references(config, &surveys);
    announce(session, &found, legacy_rows(&surveys, &found));
    preflight(database, config, &found).await?;
    if config.method == Method::Sync {
        sync::run(session).await?;
    }
    let ledger = Ledger::open(database, &mut lock, config, "copy", session.activity()).await?;
    let (decisions, totals) = (ledger.decisions().await?, Totals::default());
    let (lock_held, conditions) = (&lock, None);
    let mut copy_run =
        CopyRun { session, copier, canary, lock: lock_held, ledger: &ledger, conditions, decisions, totals };
    let ended = copy_run.ended(surveys, options, &meter).instrument(span("copy", &ledger)).await;
    sign_off(ended, |(_, exit)| *exit, ledger, lock).await
}

fn announce(session: &Session, references: &[TextColumn], legacy: u64) {
    if references.is_empty() {
        session.progress.println("no column of the schema holds a legacy or a modern path: nothing to do");
    } else if legacy == 0 {
        session.progress.println("no row holds a legacy path: all have moved, or the legacy prefix is wrong");
    }
    for column in references {
        session.progress.println(&format!("reference {}", printable(&column.name.to_string())));
    }
}

#[derive(Default)]
struct Totals {
    updated: u64,
    copied: u64,
    bytes: u64,
    passes: u32,
    part: u32,
    shown: HashMap<&'static str, u64>,
    watched: Option<Watched>,
}

struct CopyRun<'a, C> {
    session: &'a Session,
    copier: &'a C,
    canary: &'a C,
    lock: &'a RunLock,
    ledger: &'a Ledger,
    /// What the endpoint enforces, once it was tried.
    conditions: Option<CopyConditions>,
    /// What a person has decided about twins that differ.
    decisions: Decisions,
    totals: Totals,
}

impl<'a, C: CopyObjects> CopyRun<'a, C> {
    async fn ended(
        &mut self,
        surveys: Vec<ColumnSurvey>,
        options: &CopyOptions,
        meter: &Meter,
    ) -> Result<(CopySummary, Exit)> {
        self.catch_up().await?;
        let mut surveys = self.passes(surveys, options).await?;
        if let Some(watch) = options.watch {
            surveys = self.watch(surveys, options, watch).await?;
        }
        let summary = self.summary(&surveys, meter).await?;
        let exit = exit(!summary.work_is_left());
        Ok((summary, exit))
    }

    /// What the endpoint enforces is tried once, before the first copy.
    async fn prove_conditions(&mut self) -> Result<()> {
        if self.conditions.is_none() {
            self.conditions = Some(prove_conditions(self.session, self.canary, self.ledger.run()).await?);
        }
        Ok(())
    }

    /// Copies at most so many objects and moves their rows.
    async fn pass(&mut self, references: &[TextColumn], at_most: u64) -> Result<Moved> {
        let mut verified = self.copy_planned(at_most).await?;
        // What holds the run holds it here, so that the look is fresh.
        self.session.pace.brake().passed().await;
        // Both sides once more, right before the rows move: what was written or deleted meanwhile is copied again first.
        for changed in changed(self.session, self.ledger, Look::BeforeCutover(self.totals.passes)).await? {
            self.settle(changed, false, &mut verified).await?;
        }
        self.session.interrupted()?;
        let phase = self.session.progress.phase("cutover", None, "rows");
        let Session { database, config, stop, .. } = self.session;
        let mut turn = Turn { pass: self.totals.passes, part: self.totals.part };
        let moved = cut_over(verified, database, self.ledger, config, references, &mut turn, stop).await?;
        self.totals.part = turn.part;
        phase.add(moved.rows);
        phase.finish();
        // And once more after COMMIT: a write between the second look and COMMIT went to the old key. The targets are the
        // application's from here on: what it deletes now stays deleted.
        let mut late = VerifiedObjects::none(self.lock);
        for changed in changed(self.session, self.ledger, Look::AfterCutover).await? {
            self.settle(changed, true, &mut late).await?;
        }
        Ok(moved)
    }

    /// Copies and checks what is planned, several windows at once; what became of each is written down in key order.
    async fn copy_planned(&mut self, at_most: u64) -> Result<VerifiedObjects<'a>> {
        let pass = self.totals.passes;
        let planned = count_paths(self.ledger, pass).await?.min(at_most);
        let phase = self.session.progress.phase("copy", Some(planned), "objects");
        let (copying, decisions, ledger) = (self.copying(), self.decisions.clone(), self.ledger);
        // Once a window fails no other is begun, and those under way are finished and written down.
        let halt = self.session.stop.child_token();
        let progress = |ending: &Ending| show(&phase, ending);
        let ended = windows(ledger, Objects::Planned { pass, at_most })
            .try_take_while(|_| std::future::ready(Ok(!halt.is_cancelled())))
            .map_ok(|window| async {
                self.session.pace.brake().passed().await;
                let first = window.first().map(|object| object.source.to_string()).unwrap_or_default();
                let span = tracing::debug_span!("window", first, objects = window.len());
                let ended = copying.window(undecided(window, &decisions), &halt, progress).instrument(span).await;
                ended.map_err(anyhow::Error::from)
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
        let mut verified = VerifiedObjects::none(self.lock);
        let write = async {
            let mut failure = Ok(());
            while let Some(window) = receiver.recv().await {
                match window {
                    Ok(endings) => self.record(endings, &mut verified).await?,
                    Err(error) => failure = failure.and(Err(error)),
                }
            }
            failure
        };
        futures::future::try_join(feed, write).await?;
        self.session.interrupted()?;
        phase.finish();
        Ok(verified)
    }

    fn copying(&self) -> Copying<'a, crate::store::Bucket, C> {
        let Session { stores, config, pace, .. } = self.session;
        let conditions = self.conditions.unwrap_or(CopyConditions::NONE);
        let (source, target) = (&stores.source, &stores.target);
        Copying { source, target, copier: self.copier, check: config.check, pace, conditions, moved: false }
    }

    /// An object whose source changed: copied again over our own copy, or reported. `moved`: its rows have moved by now.
    async fn settle(&mut self, object: LedgerObject, moved: bool, verified: &mut VerifiedObjects<'_>) -> Result<()> {
        let copying = Copying { moved, ..self.copying() };
        let (object, ending) = copying.one(object).await;
        // Counted once already, when it was copied first.
        self.totals.copied -= u64::from(object.own_copy && self.totals.copied > 0);
        self.record(vec![(object, seen_again(ending))], verified).await
    }

    async fn record(&mut self, endings: Vec<(LedgerObject, Ending)>, verified: &mut VerifiedObjects<'_>) -> Result<()> {
        let mut copies: Vec<(VerifiedCopy, OwnCopy)> = Vec::new();
        let mut marks = Vec::new();
        for (mut object, ending) in endings {
            if matches!(ending, Ending::Conflict(_) | Ending::SourceChanged)
                && let Some(settled) = self.settled(&object).await?
            {
                verified.add_settled(self.ledger, settled).await?;
                continue;
            }
            let (state, detail) = match ending {
                Ending::Verified { copy, own, copied } => {
                    self.totals.copied += u64::from(copied.is_some());
                    self.totals.bytes += copied.unwrap_or_default();
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
            marks.push(ObjectMark { object, size: None, detail });
        }
        self.ledger.mark(self.lock, &marks).await?;
        verified.add(self.ledger, copies).await
    }

    /// Whether a person has decided for the target, and both are still what they were then.
    async fn settled(&self, object: &LedgerObject) -> Result<Option<Settled>> {
        let Some(decision) = self.decisions.of(&object.source) else { return Ok(None) };
        let stores = &self.session.stores;
        let heads = futures::future::try_join(stores.source.head(&object.source), stores.target.head(&object.target));
        let (Some(source), Some(target)) = heads.await? else { return Ok(None) };
        Ok(settled(decision, &source.info, &target.info))
    }

    fn warn(&mut self, object: &LedgerObject, state: ObjectState, detail: &str) {
        let shown = self.totals.shown.entry(state.word()).or_default();
        *shown += 1;
        if *shown <= SHOWN_MAX {
            tracing::warn!(key = %printable(object.source.as_str()), "{}: {}", state.word(), printable(detail));
        } else if *shown == SHOWN_MAX + 1 {
            tracing::warn!("{}: more of them follow; verify lists each", state.word());
        }
    }

    async fn summary(&self, surveys: &[ColumnSurvey], meter: &Meter) -> Result<CopySummary> {
        let config = &self.session.config;
        let references = references(config, surveys);
        let objects = self.ledger.object_counts().await?;
        let count = |state| objects.get(&state).copied().unwrap_or_default();
        let verified = count(ObjectState::Verified);
        let left = legacy_rows(surveys, &references);
        // As in verify: whatever stands in an excluded column is no problem of this migration.
        let in_question = surveys.iter().filter(|survey| !config.exclude_references.contains(&survey.column.name));
        let blocked = count_blocked_rows(&self.session.database, self.ledger, config, &references).await?;
        Ok(CopySummary {
            run: Some(self.ledger.run()),
            references: references.iter().map(|column| column.name.to_string()).collect(),
            rows: CopyRows {
                planned: self.totals.updated + left,
                updated: self.totals.updated,
                left,
                out_of_scope: surveys.iter().map(|survey| survey.counts.out_of_scope).sum(),
                suspect: in_question.map(|survey| survey.counts.suspect).sum(),
                conflict: blocked,
            },
            objects: ObjectTotals {
                planned: objects.values().sum(),
                copied: self.totals.copied,
                already_there: verified.saturating_sub(self.totals.copied),
                missing_source: count(ObjectState::MissingSource),
                conflict: count(ObjectState::Conflict),
                source_changed: count(ObjectState::SourceChanged),
                failed: count(ObjectState::Failed),
            },
            bytes_copied: self.totals.bytes,
            requests: meter.requests(self.session),
            passes: u64::from(self.totals.passes),
            elapsed: meter.elapsed(),
            forecast: None,
            watched: self.totals.watched.clone(),
        })
    }
}

/// A target that a person has decided to keep is not to be replaced, even if it was our copy once.
fn undecided(mut window: Vec<LedgerObject>, decisions: &Decisions) -> Vec<LedgerObject> {
    for object in window.iter_mut().filter(|object| decisions.of(&object.source).is_some()) {
        object.own_copy = false;
    }
    window
}

fn show(phase: &Phase, ending: &Ending) {
    phase.add(1);
    match ending {
        Ending::Verified { copied: Some(bytes), .. } => phase.add_bytes(*bytes),
        Ending::Verified { copied: None, .. }
        | Ending::MissingSource
        | Ending::Conflict(_)
        | Ending::SourceChanged
        | Ending::TargetGone
        | Ending::Failed(_) => {}
    }
}

fn legacy_rows(surveys: &[ColumnSurvey], references: &[TextColumn]) -> u64 {
    references.iter().map(|column| legacy_in(surveys, &column.name)).sum()
}

fn legacy_in(surveys: &[ColumnSurvey], name: &ColumnName) -> u64 {
    surveys.iter().filter(|survey| survey.column.name == *name).map(|survey| survey.counts.legacy).sum()
}
