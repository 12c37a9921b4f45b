//! A run that is shared: its holder plans, cuts the work into ranges and moves the rows; all workers, the holder too, take
//! ranges, copy and check them, and look at them again before and after the rows move.

use anyhow::{Result, bail};
use tracing::Instrument;

use super::work::{Shown, Work, bytes};
use super::{CopyRun, Totals, surveyed};
use crate::check::VerifiedObjects;
use crate::config::{ColumnName, Config, CopyOptions, Sharing, TransactionRows};
use crate::copy::Ending;
use crate::cutover::Moved;
use crate::database::{
    Crew, CrewState, KeyRange, Lease, Ledger, RunLock, Stage, Task, TextColumn, range_objects, references, survey,
};
use crate::failure::Exit;
use crate::report::progress::Phase;
use crate::report::summary::{CopySummary, SharedCopy};
use crate::report::text::duration;
use crate::run::looks::{AFTER_CUTOVER, BEFORE_CUTOVER, Look};
use crate::run::seats::{Free, RANGES_AT_ONCE, Seat, Terms, give_back, take_seat};
use crate::run::ways::Ways;
use crate::run::windows::Objects;
use crate::run::{Meter, Session, span};
use crate::store::{CopyObjects, sweep_workers};

/// Joins the run that is there, or begins one.
pub(super) async fn run<C: CopyObjects>(
    session: &Session,
    options: &CopyOptions,
    ways: Ways<'_, C>,
    sharing: Sharing,
) -> Result<(CopySummary, Exit)> {
    let meter = session.meter();
    let terms = terms(&session.config, options);
    loop {
        match take_seat(session, sharing, &terms).await? {
            Free::Holder(lock, adopted) => {
                let holding = Holding { session, options, ways, sharing, meter: &meter };
                return holding.run(*lock, adopted, &terms).await;
            }
            Free::Worker(crew) => {
                let seat = Seat::take(crew, false, sharing).await?;
                let followed = follow(session, ways, &seat, &meter).await;
                seat.leave().await;
                if let Some(ended) = followed? {
                    return Ok(ended);
                }
            }
        }
    }
}

/// What workers have to agree on, as any of them may come to hold the run.
fn terms(config: &Config, options: &CopyOptions) -> Terms {
    let names = |columns: &[ColumnName]| columns.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    let rows = match config.transaction_rows {
        TransactionRows::All => "all".to_owned(),
        TransactionRows::AtMost(rows) => rows.to_string(),
    };
    let watch = options.watch;
    Terms::new(
        "copy",
        &[
            ("method", format!("{:?}", config.method).to_lowercase()),
            ("check", format!("{:?}", config.check).to_lowercase()),
            ("transaction-rows", rows),
            ("reference", names(&config.references)),
            ("exclude-reference", names(&config.exclude_references)),
            ("only-prefix", options.only_prefix.clone().unwrap_or_default()),
            ("watch", watch.map(|watch| duration(watch.every)).unwrap_or_default()),
            ("until-empty", watch.and_then(|watch| watch.until_empty).map(duration).unwrap_or_default()),
        ],
    )
}

/// What the holder's seat needs.
struct Holding<'a, C> {
    session: &'a Session,
    options: &'a CopyOptions,
    ways: Ways<'a, C>,
    sharing: Sharing,
    meter: &'a Meter,
}

impl<C: CopyObjects> Holding<'_, C> {
    async fn run(
        &self,
        mut lock: RunLock,
        adopted: Option<(Crew, CrewState)>,
        terms: &Terms,
    ) -> Result<(CopySummary, Exit)> {
        let Session { database, config, stores, .. } = self.session;
        let (ledger, crew, state) = match adopted {
            Some((crew, state)) => {
                let ledger = Ledger::join(database, config, crew.run()).await?;
                ledger.adopt(&mut lock, self.session.activity()).await?;
                let (run, gone) = (crew.run(), &state.holder);
                self.session.progress.println(&format!("run {run} is taken over: its holder is gone ({gone})"));
                (ledger, crew, Some(state))
            }
            None => {
                let ledger = Ledger::open(database, &mut lock, config, terms.command, self.session.activity()).await?;
                let crew = Crew::begin(database, &ledger, &terms.text, self.sharing.lease).await?;
                sweep_workers(&stores.target).await?;
                (ledger, crew, None)
            }
        };
        let seat = Seat::take(crew, true, self.sharing).await?;
        let ended = async {
            seat.crew.hold(&lock, &seat.worker).await?;
            let work = Work::new(self.session, ledger.clone(), self.ways, seat.scratch()).await?;
            let mut copy_run = CopyRun { work, lock: &lock, seat: Some(&seat), totals: Totals::default() };
            match state {
                Some(state) => copy_run.taken_over(&state, self.options, self.meter).await,
                None => copy_run.ended(surveyed(self.session).await?, self.options, self.meter).await,
            }
        };
        let ended = ended.instrument(span("copy", &ledger)).await;
        let left =
            |(summary, exit): &(CopySummary, Exit)| Ok((*exit, serde_json::to_string(&SharedCopy::of(summary))?));
        seat.sign_off(ended, left, ledger, lock).await
    }
}

impl<C: CopyObjects> CopyRun<'_, C> {
    /// Goes on with a run whose holder is gone: from the stage that it had shared.
    async fn taken_over(
        &mut self,
        state: &CrewState,
        options: &CopyOptions,
        meter: &Meter,
    ) -> Result<(CopySummary, Exit)> {
        let Session { database, config, .. } = self.work.session;
        let part = self.work.ledger.last_part().await?;
        self.totals = Totals { updated: state.rows_moved, passes: state.task.pass, part, watched: None };
        let surveys = survey(database, config).await?;
        if let Some(seat) = self.seat {
            self.pass_from(state.task.stage, seat, &references(config, &surveys)).await?;
        }
        let surveys = survey(database, config).await?;
        self.the_rest(surveys, options, meter).await
    }

    /// A pass whose plan is made: cut into ranges and done together.
    pub(super) async fn pass_together(
        &mut self,
        seat: &Seat,
        references: &[TextColumn],
        planned: u64,
    ) -> Result<Moved> {
        let (ledger, pass) = (&self.work.ledger, self.totals.passes);
        let objects = seat.sharing.range_objects.unwrap_or_else(|| range_objects(planned));
        seat.crew.cut(self.lock, ledger, pass, objects).await?;
        self.pass_from(Stage::Copy, seat, references).await
    }

    async fn pass_from(&mut self, first: Stage, seat: &Seat, references: &[TextColumn]) -> Result<Moved> {
        let pass = self.totals.passes;
        let mut moved = Moved::default();
        if first <= Stage::Copy {
            self.share(seat, Task { stage: Stage::Copy, pass }).await?;
            seat.crew.cut_again(self.lock, Task { stage: Stage::Look, pass }).await?;
        }
        if first <= Stage::Look {
            self.work.session.pace.brake().passed().await;
            self.share(seat, Task { stage: Stage::Look, pass }).await?;
            self.stage(seat, Stage::Alone).await?;
            let verified = VerifiedObjects::gathered(self.lock, &self.work.ledger, &seat.crew, pass).await?;
            moved = self.move_rows(verified, references).await?;
            seat.crew.cut_again(self.lock, Task { stage: Stage::LookAgain, pass }).await?;
        }
        self.share(seat, Task { stage: Stage::LookAgain, pass }).await?;
        self.stage(seat, Stage::Alone).await?;
        Ok(moved)
    }

    async fn stage(&self, seat: &Seat, stage: Stage) -> Result<()> {
        let task = Task { stage, pass: self.totals.passes };
        seat.crew.set(self.lock, &seat.worker, task, self.totals.updated).await
    }

    /// Lets all workers do a stage, and takes part in it, until every range is done.
    async fn share(&self, seat: &Seat, task: Task) -> Result<()> {
        self.stage(seat, task.stage).await?;
        let work = &self.work;
        seat.share(work.session, name(task.stage), task, async |phase: &Phase| {
            // Ranges are counted, whoever did them; bytes are this worker's.
            work.take_ranges(seat, task, &|ending| phase.add_bytes(bytes(ending))).await
        })
        .await
    }
}

/// A worker's part of a run that another one holds: gives how the run ended; none if its holder is gone.
async fn follow<C: CopyObjects>(
    session: &Session,
    ways: Ways<'_, C>,
    seat: &Seat,
    meter: &Meter,
) -> Result<Option<(CopySummary, Exit)>> {
    let ledger = Ledger::join(&session.database, &session.config, seat.crew.run()).await?;
    let work = Work::new(session, ledger.clone(), ways, seat.scratch()).await?;
    let take = async |task, phase: &Phase| work.take_ranges(seat, task, &|ending| phase.add_bytes(bytes(ending))).await;
    let followed = seat.follow(session, name, take).instrument(span("copy", &ledger)).await?;
    followed.map(|(state, exit)| ended(session, seat, meter, &state, exit)).transpose()
}

/// What a worker says of a run that is over.
fn ended(session: &Session, seat: &Seat, meter: &Meter, state: &CrewState, exit: Exit) -> Result<(CopySummary, Exit)> {
    let (requests, elapsed, shared) = (meter.requests(session), meter.elapsed(), Some(seat.part()));
    let own = CopySummary { run: Some(seat.crew.run()), requests, elapsed, shared, ..CopySummary::default() };
    let of_all = state.summary.as_deref().map(serde_json::from_str::<SharedCopy>).transpose()?.unwrap_or_default();
    Ok((of_all.summary(own), exit))
}

impl<C: CopyObjects> Work<'_, C> {
    /// Takes ranges, two at a time, until none is free; gives how many it has done.
    async fn take_ranges(&self, seat: &Seat, task: Task, progress: &(dyn Fn(&Ending) + Sync)) -> Result<u64> {
        if task.stage == Stage::Copy {
            self.prove_conditions().await?;
        }
        let halt = self.session.stop.child_token();
        seat.take_ranges(self.session, (task, RANGES_AT_ONCE), &halt, |lease| {
            self.range(lease, task, (progress, &halt))
        })
        .await
    }

    async fn range(&self, lease: Lease, task: Task, shown: Shown<'_>) -> Result<()> {
        let (pass, range): (u32, KeyRange) = (task.pass, lease.range().clone());
        let rows_have_moved = task.stage == Stage::LookAgain;
        let mut verified =
            if rows_have_moved { VerifiedObjects::without_rows(&lease) } else { VerifiedObjects::none(&lease, pass) };
        match task.stage {
            Stage::Copy => {
                let objects = Objects::Planned { pass, at_most: u64::MAX };
                self.copy_planned(objects, range, &mut verified, shown).await?;
            }
            Stage::Look => self.look_again(Look::BeforeCutover(pass), range, &mut verified, &|_| ()).await?,
            Stage::LookAgain => self.look_again(Look::AfterCutover, range, &mut verified, &|_| ()).await?,
            Stage::Alone | Stage::Orphans | Stage::Delete => bail!("a copy has no stage `{}`", task.stage.word()),
        }
        give_back(lease, shown.1).await
    }
}

/// What a stage is called where its progress is shown.
fn name(stage: Stage) -> &'static str {
    match stage {
        Stage::Copy => "copy",
        Stage::Look => BEFORE_CUTOVER,
        Stage::LookAgain => AFTER_CUTOVER,
        Stage::Alone | Stage::Orphans | Stage::Delete => stage.word(),
    }
}
