//! Phase one: passes of plan, copy, check and cutover, until only rows that cannot move are left.

mod catching_up;
mod passes;
mod together;
mod work;

use anyhow::Result;
use tracing::Instrument;

use self::work::{Work, show};
use super::looks::Look;
use super::seats::Seat;
use super::ways::Ways;
use super::weighing::foretell;
use super::windows::Objects;
use super::{Meter, Session, dry, exit, legacy_in, sign_off, span, sync};
use crate::check::VerifiedObjects;
use crate::config::{CopyOptions, Method};
use crate::copy::Ending;
use crate::cutover::{Moved, cut_over};
use crate::database::{
    ColumnSurvey, KeyRange, Ledger, LedgerName, ObjectState, RunLock, Stage, Tally, TextColumn, Turn,
    count_blocked_rows, preflight, references, survey,
};
use crate::failure::Exit;
use crate::report::summary::{CopyObjects as ObjectTotals, CopyRows, CopySummary, Watched};
use crate::report::text::printable;
use crate::store::{Copier, CopyObjects, Scratch, Streamer};

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
            run(session, options, Ways { copier: &session.copier(), canary: &canary }).await
        }
        Method::Stream => {
            let canary = Streamer::new(target.clone(), target.clone(), sizes);
            run(session, options, Ways { copier: &Streamer::new(source, target, sizes), canary: &canary }).await
        }
    }
}

async fn run<C: CopyObjects>(
    session: &Session,
    options: &CopyOptions,
    ways: Ways<'_, C>,
) -> Result<(CopySummary, Exit)> {
    match session.config.sharing {
        None => alone(session, options, ways).await,
        Some(sharing) => together::run(session, options, ways, sharing).await,
    }
}

async fn alone<C: CopyObjects>(
    session: &Session,
    options: &CopyOptions,
    ways: Ways<'_, C>,
) -> Result<(CopySummary, Exit)> {
    let meter = session.meter();
    let (database, config) = (&session.database, &session.config);
    let name = LedgerName::new(&config.ledger_schema);
    let mut lock = RunLock::take(database, &name, config.lock_wait).await?;
    let surveys = surveyed(session).await?;
    if config.method == Method::Sync {
        sync::run(session).await?;
    }
    let ledger = Ledger::open(database, &mut lock, config, "copy", session.activity()).await?;
    let work = Work::new(session, ledger.clone(), ways, Scratch::of_run(ledger.run())).await?;
    let mut copy_run = CopyRun { work, lock: &lock, seat: None, totals: Totals::default() };
    let ended = copy_run.ended(surveys, options, &meter).instrument(span("copy", &ledger)).await;
    sign_off(ended, |(_, exit)| *exit, ledger, lock).await
}

/// Looks for references, says which they are, and refuses what could not move.
async fn surveyed(session: &Session) -> Result<Vec<ColumnSurvey>> {
    let (database, config) = (&session.database, &session.config);
    let phase = session.progress.phase("survey", None, "columns");
    let surveys = survey(database, config).await?;
    phase.add(u64::try_from(surveys.len())?);
    phase.finish();
    let found = references(config, &surveys);
    announce(session, &found, legacy_rows(&surveys, &found));
    preflight(database, config, &found).await?;
    let rows: Vec<_> = found.iter().map(|column| (column, legacy_in(&surveys, &column.name))).collect();
    foretell(session, &rows).await?;
    Ok(surveys)
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
    passes: u32,
    part: u32,
    watched: Option<Watched>,
}

/// A run by its holder: alone, or with a crew.
struct CopyRun<'a, C> {
    work: Work<'a, C>,
    lock: &'a RunLock,
    /// Its place among the workers, if the run is shared.
    seat: Option<&'a Seat>,
    totals: Totals,
}

impl<C: CopyObjects> CopyRun<'_, C> {
    async fn ended(
        &mut self,
        surveys: Vec<ColumnSurvey>,
        options: &CopyOptions,
        meter: &Meter,
    ) -> Result<(CopySummary, Exit)> {
        self.catch_up().await?;
        self.the_rest(surveys, options, meter).await
    }

    async fn the_rest(
        &mut self,
        surveys: Vec<ColumnSurvey>,
        options: &CopyOptions,
        meter: &Meter,
    ) -> Result<(CopySummary, Exit)> {
        let mut surveys = self.passes(surveys, options).await?;
        if let Some(watch) = options.watch {
            surveys = self.watch(surveys, options, watch).await?;
        }
        let summary = self.summary(&surveys, meter).await?;
        let exit = exit(!summary.work_is_left());
        Ok((summary, exit))
    }

    /// Plans, copies and moves the `legacy` rows, those of at most so many objects as the options allow.
    async fn pass(&mut self, references: &[TextColumn], legacy: u64, options: &CopyOptions) -> Result<Moved> {
        let planned = self.planned(references, legacy, options);
        if let Some(seat) = self.seat {
            let planned = self.while_trying(planned).await?;
            return self.pass_together(seat, references, planned).await;
        }
        let (session, pass) = (self.work.session, self.totals.passes);
        let mut verified = VerifiedObjects::none(self.lock, pass);
        let copied = async {
            let (planned, at_most) = (planned.await?, options.limit.unwrap_or(u64::MAX));
            let phase = session.progress.phase("copy", Some(planned.min(at_most)), "objects");
            let (objects, shown) = (Objects::Planned { pass, at_most }, |ending: &Ending| show(&phase, ending));
            self.work.copy_planned(objects, KeyRange::default(), &mut verified, (&shown, &session.stop)).await?;
            phase.finish();
            Ok(())
        };
        self.while_trying(copied).await?;
        // What holds the run holds it here, so that the look is fresh.
        session.pace.brake().passed().await;
        // Both sides once more, right before the rows move: what was written or deleted meanwhile is copied again first.
        self.look_again(Look::BeforeCutover(pass), &mut verified).await?;
        let moved = self.move_rows(verified, references).await?;
        // And once more after COMMIT: a write between the second look and COMMIT went to the old key. The targets are the
        // application's from here on: what it deletes now stays deleted.
        let mut late = VerifiedObjects::without_rows(self.lock);
        self.look_again(Look::AfterCutover, &mut late).await?;
        Ok(moved)
    }

    async fn look_again(&self, look: Look, verified: &mut VerifiedObjects<'_>) -> Result<()> {
        let phase = self.work.session.progress.phase(look.name(), None, "objects");
        self.work.look_again(look, KeyRange::default(), verified, &|objects| phase.add(objects)).await?;
        phase.finish();
        Ok(())
    }

    async fn move_rows(&mut self, verified: VerifiedObjects<'_>, references: &[TextColumn]) -> Result<Moved> {
        let Session { database, config, stop, progress, .. } = self.work.session;
        self.work.session.interrupted()?;
        let phase = progress.phase("cutover", None, "rows");
        let mut turn = Turn { pass: self.totals.passes, part: self.totals.part };
        let moved = cut_over(verified, database, &self.work.ledger, config, references, &mut turn, stop).await?;
        self.totals.part = turn.part;
        self.totals.updated += moved.rows;
        phase.add(moved.rows);
        phase.finish();
        Ok(moved)
    }

    /// What was copied, by all workers if there are several.
    async fn tally(&self) -> Result<Tally> {
        match self.seat {
            Some(seat) => seat.crew.tallied(Stage::Copy).await,
            None => Ok(self.work.tally()),
        }
    }

    async fn summary(&self, surveys: &[ColumnSurvey], meter: &Meter) -> Result<CopySummary> {
        let Session { config, database, .. } = self.work.session;
        let (ledger, tally) = (&self.work.ledger, self.tally().await?);
        let references = references(config, surveys);
        let objects = ledger.object_counts().await?;
        let count = |state| objects.get(&state).copied().unwrap_or_default();
        let verified = count(ObjectState::Verified);
        let left = legacy_rows(surveys, &references);
        // As in verify: whatever stands in an excluded column is no problem of this migration.
        let in_question = surveys.iter().filter(|survey| !config.exclude_references.contains(&survey.column.name));
        let blocked = count_blocked_rows(database, ledger, config, &references).await?;
        Ok(CopySummary {
            run: Some(ledger.run()),
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
                copied: tally.objects,
                already_there: verified.saturating_sub(tally.objects),
                missing_source: count(ObjectState::MissingSource),
                conflict: count(ObjectState::Conflict),
                source_changed: count(ObjectState::SourceChanged),
                failed: count(ObjectState::Failed),
            },
            bytes_copied: tally.bytes,
            requests: meter.requests(self.work.session),
            passes: u64::from(self.totals.passes),
            elapsed: meter.elapsed(),
            forecast: None,
            watched: self.totals.watched.clone(),
            shared: self.seat.map(Seat::part),
        })
    }
}

fn legacy_rows(surveys: &[ColumnSurvey], references: &[TextColumn]) -> u64 {
    references.iter().map(|column| legacy_in(surveys, &column.name)).sum()
}
