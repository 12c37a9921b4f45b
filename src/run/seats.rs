//! Seats in a shared run: whoever comes joins the run that is there; where there is none, or its holder is gone, one takes
//! the lock and with it the holder's seat.

use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use futures::{StreamExt, stream};
use tokio_util::sync::CancellationToken;

use super::Session;
use crate::config::Sharing;
use crate::database::{
    Crew, CrewState, Found, Lease, Ledger, LedgerName, Progress, RunLock, Stage, Task, Worker, check_can_share,
};
use crate::failure::{Exit, Failure, exit_of};
use crate::report::progress::Phase;
use crate::report::summary::Shared;
use crate::store::Scratch;

/// How often the ledger is asked for news.
const POLL: Duration = Duration::from_millis(250);
/// Ranges that a worker is at together, so that the pace finds work while one of them ends.
pub(super) const RANGES_AT_ONCE: usize = 2;

/// What is shared: a command under terms that all its workers have to agree on.
#[derive(Clone, Debug)]
pub(super) struct Terms {
    pub(super) command: &'static str,
    /// A line a setting.
    pub(super) text: String,
}

impl Terms {
    /// Of settings with their values; what is empty was not given.
    pub(super) fn new(command: &'static str, settings: &[(&str, String)]) -> Self {
        let given = settings.iter().filter(|(_, value)| !value.is_empty());
        let lines: Vec<String> = given.map(|(name, value)| format!("--{name} {value}")).collect();
        Self { command, text: lines.join("\n") }
    }
}

/// Which seat was free.
pub(super) enum Free {
    /// A worker's in a run that another one holds.
    Worker(Crew),
    /// The holder's: of a run whose holder is gone, as it stands, or of a new one.
    Holder(Box<RunLock>, Option<(Crew, CrewState)>),
}

/// Finds a seat.
///
/// # Errors
/// [`Failure::Locked`] if a run that cannot be joined holds the lock for longer than `--lock-wait`; [`Failure::Usage`] if the
/// run that could be joined has other terms.
pub(super) async fn take_seat(session: &Session, sharing: Sharing, terms: &Terms) -> Result<Free> {
    let Session { database, config, .. } = session;
    check_can_share(database).await?;
    let deadline = Instant::now() + config.lock_wait;
    loop {
        session.interrupted()?;
        let found = Crew::find(database, config, sharing.lease).await?;
        let found = found.filter(|found| found.command == terms.command);
        if let Some(found) = &found
            && found.crew.state().await?.holder_lives
        {
            agreed(found, terms)?;
            return Ok(Free::Worker(found.crew.clone()));
        }
        // The lock of a holder that died is free once the server has noticed.
        match RunLock::take(database, &LedgerName::new(&config.ledger_schema), Duration::ZERO).await {
            Ok(lock) => return Ok(Free::Holder(Box::new(lock), to_adopt(found, terms).await?)),
            // A run that has just begun is not in the ledger yet.
            Err(error) if is_locked(&error) && (found.is_some() || Instant::now() < deadline) => {
                tokio::time::sleep(POLL).await;
            }
            Err(error) => return Err(error),
        }
    }
}

/// The run as it stands, if it can be gone on with: what its holder did alone when it died is begun anew by a new run.
async fn to_adopt(found: Option<Found>, terms: &Terms) -> Result<Option<(Crew, CrewState)>> {
    let Some(found) = found.filter(|found| found.terms == terms.text) else { return Ok(None) };
    // Read under the lock, so that nobody changes it any more.
    let state = found.crew.state().await?;
    let goes_on = state.exit_code.is_none() && state.task.stage.is_of_copy();
    Ok(goes_on.then_some((found.crew, state)))
}

fn agreed(found: &Found, terms: &Terms) -> Result<()> {
    let theirs: Vec<&str> = found.terms.lines().filter(|line| !terms.text.lines().any(|own| own == *line)).collect();
    let own: Vec<&str> = terms.text.lines().filter(|line| !found.terms.lines().any(|one| one == *line)).collect();
    if theirs.is_empty() && own.is_empty() {
        return Ok(());
    }
    let run = found.crew.run();
    let (theirs, own) = (theirs.join(", "), own.join(", "));
    let message = format!("run {run} has other settings than this worker: {theirs}; and here: {own}");
    let hint = "give all workers of a run the same settings, or wait until that run is over".to_owned();
    Err(Failure::Usage { message, hint }.into())
}

fn is_locked(error: &anyhow::Error) -> bool {
    exit_of(error) == Exit::Locked
}

/// A place among the workers of a run.
pub(super) struct Seat {
    pub(super) crew: Crew,
    pub(super) worker: Worker,
    holds: bool,
    pub(super) sharing: Sharing,
    taken: AtomicU64,
    taken_over: AtomicU64,
}

impl Seat {
    /// Takes its place.
    pub(super) async fn take(crew: Crew, holds: bool, sharing: Sharing) -> Result<Self> {
        let worker = Worker::join(&crew).await?;
        let (taken, taken_over) = (AtomicU64::new(0), AtomicU64::new(0));
        Ok(Self { crew, worker, holds, sharing, taken, taken_over })
    }

    /// Scratch objects of its own, as several workers try an endpoint at the same time.
    pub(super) fn scratch(&self) -> Scratch {
        Scratch::of_worker(self.crew.run(), self.worker.id())
    }

    /// What this worker did of the run.
    pub(super) fn part(&self) -> Shared {
        let (ranges, taken_over) = (self.taken.load(Ordering::Relaxed), self.taken_over.load(Ordering::Relaxed));
        Shared { worker: self.worker.id(), holder: self.holds, ranges, taken_over }
    }

    fn took(&self, lease: &Lease, session: &Session) {
        self.taken.fetch_add(1, Ordering::Relaxed);
        if lease.is_taken_over() {
            self.taken_over.fetch_add(1, Ordering::Relaxed);
            session.progress.println(&format!("range {} is taken over: its worker is gone", lease.nth()));
        }
    }

    /// Waits for a moment; ends with the run if this worker has no place in it any more.
    pub(super) async fn wait(&self, session: &Session) -> Result<()> {
        session.interrupted()?;
        if self.worker.dismissed().is_cancelled() {
            bail!("another run has begun and ended the one that this worker had joined; run the command again");
        }
        session.stop.run_until_cancelled(tokio::time::sleep(POLL)).await.ok_or(Failure::Interrupted.into())
    }

    /// How the run stands for a worker that does not hold it.
    ///
    /// # Errors
    /// If it ended in a way that is the end for all workers.
    pub(super) fn news(&self, state: &CrewState) -> Result<News> {
        let Some(code) = state.exit_code else {
            return Ok(if state.holder_lives { News::GoesOn } else { News::HolderGone });
        };
        let (run, holder) = (self.crew.run(), &state.holder);
        let said = format!("run {run} ended with exit code {code}, as its holder says in its log ({holder})");
        let hint = "mend what that log names, for all workers".to_owned();
        let ends = [Exit::Clean, Exit::Left, Exit::Usage, Exit::Refused].into_iter().find(|exit| exit.code() == code);
        match ends {
            Some(exit @ (Exit::Clean | Exit::Left)) => Ok(News::Over(exit)),
            Some(Exit::Usage) => Err(Failure::Usage { message: said, hint }.into()),
            Some(Exit::Refused) => Err(Failure::Refused { reasons: vec![said], hint }.into()),
            // Whoever could not go on has left the rest to the others.
            Some(Exit::Failed | Exit::Locked | Exit::Interrupted) | None => Ok(News::HolderGone),
        }
    }

    /// A worker's part of a run that another one holds: takes part by `take` in each stage that `name` names, and gives how the
    /// run ended; none if its holder is gone.
    pub(super) async fn follow(
        &self,
        session: &Session,
        name: fn(Stage) -> &'static str,
        take: impl AsyncFn(Task, &Phase) -> Result<u64>,
    ) -> Result<Option<(CrewState, Exit)>> {
        let (run, worker) = (self.crew.run(), self.worker.id());
        session.progress.println(&format!("joined run {run} as worker {worker}"));
        let mut shown: Option<(Task, Phase)> = None;
        loop {
            let state = self.crew.state().await?;
            if let Some((_, phase)) = shown.take_if(|(task, _)| *task != state.task) {
                phase.finish();
            }
            match self.news(&state)? {
                News::Over(exit) => return Ok(Some((state, exit))),
                News::HolderGone => return Ok(None),
                News::GoesOn => {}
            }
            let task = state.task;
            let mut took = 0;
            if task.stage != Stage::Alone && self.crew.progress(task).await?.is_open() {
                let begun = || (task, session.progress.phase(name(task.stage), None, "ranges"));
                let (_, phase) = shown.get_or_insert_with(begun);
                took = take(task, phase).await?;
                phase.add(took);
            }
            if took == 0 {
                self.wait(session).await?;
            }
        }
    }

    /// Takes ranges, so many at a time, until none is free; gives how many it has done.
    pub(super) async fn take_ranges<F: Future<Output = Result<()>>>(
        &self,
        session: &Session,
        (task, at_once): (Task, usize),
        halt: &CancellationToken,
        range: impl Fn(Lease) -> F,
    ) -> Result<u64> {
        let leases = stream::try_unfold((), |()| async {
            session.pace.brake().passed().await;
            if halt.is_cancelled() {
                return Ok(None);
            }
            Ok::<_, anyhow::Error>(self.worker.claim(task).await?.map(|lease| (lease, ())))
        });
        let done = leases.map(|lease| async {
            let lease = lease?;
            self.took(&lease, session);
            range(lease).await
        });
        let mut done = pin!(done.buffer_unordered(at_once));
        let (mut took, mut failure) = (0, None);
        // To its end, whatever happens: what is under way beside a range that failed is written down.
        while let Some(end) = done.next().await {
            took += u64::from(end.is_ok());
            if let Err(error) = end {
                halt.cancel();
                failure.get_or_insert(error);
            }
        }
        match failure {
            Some(error) => Err(error),
            None => session.interrupted().map(|()| took),
        }
    }

    /// Sees a stage to its end, as the holder that has set it: takes part by `take` until every range is done.
    pub(super) async fn share(
        &self,
        session: &Session,
        name: &'static str,
        task: Task,
        take: impl AsyncFn(&Phase) -> Result<u64>,
    ) -> Result<()> {
        let Progress { ranges, mut done } = self.crew.progress(task).await?;
        let phase = session.progress.phase(name, Some(ranges), "ranges");
        phase.add(done);
        while done < ranges {
            let took = take(&phase).await?;
            let now = self.crew.progress(task).await?.done;
            phase.add(now.saturating_sub(done));
            done = now;
            if took == 0 && done < ranges {
                self.wait(session).await?;
            }
        }
        phase.finish();
        Ok(())
    }

    /// Leaves; what it holds is free at once.
    pub(super) async fn leave(self) {
        self.worker.leave().await;
    }

    /// The holder signs off, and leaves what `left` makes of its ending for the others. Where it cannot go on and others can,
    /// the run stays open for them.
    pub(super) async fn sign_off<T>(
        self,
        ended: Result<T>,
        left: impl FnOnce(&T) -> Result<(Exit, String)>,
        ledger: Ledger,
        lock: RunLock,
    ) -> Result<T> {
        let closed = self.close(&ended, left, &ledger, &lock).await;
        self.leave().await;
        lock.release().await;
        let ended = ended?;
        closed?;
        Ok(ended)
    }

    async fn close<T>(
        &self,
        ended: &Result<T>,
        left: impl FnOnce(&T) -> Result<(Exit, String)>,
        ledger: &Ledger,
        lock: &RunLock,
    ) -> Result<()> {
        let exit = match ended {
            Ok(ended) => {
                let (exit, summary) = left(ended)?;
                self.crew.end(lock, &self.worker, &summary).await?;
                exit
            }
            Err(error) => match exit_of(error) {
                exit @ (Exit::Usage | Exit::Refused) => exit,
                exit @ (Exit::Clean | Exit::Failed | Exit::Left | Exit::Locked | Exit::Interrupted) => {
                    if self.worker.has_company().await? {
                        return Ok(());
                    }
                    exit
                }
            },
        };
        ledger.close(exit).await
    }
}

/// Gives a range back as done; not once `halt` was set, by an interrupt or by a failure beside it, which may have left a part of
/// it undone.
pub(super) async fn give_back(lease: Lease, halt: &CancellationToken) -> Result<()> {
    if halt.is_cancelled() { Err(Failure::Interrupted.into()) } else { lease.done().await }
}

/// How a run stands for a worker that does not hold it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum News {
    /// It goes on.
    GoesOn,
    /// Nobody holds it any more.
    HolderGone,
    /// It is over.
    Over(Exit),
}
