//! `fence`: the SQL printed, run under the lock and read back, or taken away.

use anyhow::Result;

use super::{Meter, Session, exit, sign_off};
use crate::config::{FenceAction, FenceOptions};
use crate::database::{
    ColumnSurvey, Fence, FenceEnd, FenceKind, Ledger, LedgerName, RunLock, add_fences, drop_fences, fence_sizes,
    fences_in_place, read_fences, references, survey,
};
use crate::failure::{Exit, Failure};
use crate::operate::fence::{Guarded, forecast, missing};
use crate::report::summary::{FenceForecast, FenceSummary};
use crate::report::text::printable;

/// What is about to be fenced: what a person confirms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FenceConfirmation {
    /// The columns, each `table.column`.
    pub columns: Vec<String>,
    /// What copying the tables means; none is copied for triggers.
    pub forecast: Option<FenceForecast>,
}

/// Asks a person; `Ok(false)` is a no.
pub type ConfirmFence<'a> = dyn Fn(&FenceConfirmation) -> Result<bool> + Sync + 'a;

/// Runs `fence`.
///
/// # Errors
/// What keeps the command from going on; [`Failure::Refused`] while a legacy row is left.
pub async fn fence(
    session: &Session,
    options: &FenceOptions,
    confirm: &ConfirmFence<'_>,
) -> Result<(FenceSummary, Exit)> {
    let meter = session.meter();
    let fencing = Fencing { session, options, meter };
    if options.action == FenceAction::Print {
        return fencing.print().await;
    }
    let (database, config) = (&session.database, &session.config);
    let name = LedgerName::new(&config.ledger_schema);
    let mut lock = RunLock::take(database, &name, config.lock_wait).await?;
    let ledger = Ledger::open(database, &mut lock, config, "fence", session.activity()).await?;
    let ended = match options.action {
        FenceAction::Drop => fencing.take_away(&lock, ledger.run()).await,
        FenceAction::Apply | FenceAction::Print => fencing.apply(&lock, ledger.run(), confirm).await,
    };
    sign_off(ended, |(_, exit)| *exit, ledger, lock).await
}

/// The columns that have a fence of these settings.
pub(super) async fn fenced_now(session: &Session) -> Result<Vec<String>> {
    Ok(names(&fences_in_place(&session.database, &session.config).await?))
}

/// Takes the fence of these settings away; gives the columns that had one.
///
/// # Errors
/// [`Failure::Usage`] with the GRANT, [`Failure::Refused`] if a transaction holds a table for too long.
pub(super) async fn drop_own_fence(session: &Session, lock: &RunLock) -> Result<Vec<String>> {
    let fences = fences_in_place(&session.database, &session.config).await?;
    match drop_fences(&session.database, lock, &fences).await? {
        FenceEnd::Done => Ok(names(&fences)),
        FenceEnd::Busy | FenceEnd::LegacyLeft => {
            let reason = format!("a transaction holds a table of the fence: {}", names(&fences).join(", "));
            let hint =
                "run it again once that transaction has ended; `avatarMigrate fence --drop` does it alone".to_owned();
            Err(Failure::Refused { reasons: vec![reason], hint }.into())
        }
    }
}

fn names(fences: &[Fence]) -> Vec<String> {
    fences.iter().map(|fence| fence.column.to_string()).collect()
}

struct Fencing<'a> {
    session: &'a Session,
    options: &'a FenceOptions,
    meter: Meter,
}

impl Fencing<'_> {
    fn kind(&self) -> FenceKind {
        if self.options.trigger { FenceKind::Triggers } else { FenceKind::Check }
    }

    async fn print(&self) -> Result<(FenceSummary, Exit)> {
        let references = self.guarded().await?;
        let missing = missing(&references);
        let summary = FenceSummary {
            statements: missing.iter().flat_map(|of_table| Fence::script(of_table, self.kind())).collect(),
            forecast: forecast(&missing, self.kind(), &fence_sizes(&self.session.database).await?),
            ..self.summary(None, &references, Vec::new())
        };
        Ok((summary, Exit::Clean))
    }

    async fn apply(&self, lock: &RunLock, run: u64, confirm: &ConfirmFence<'_>) -> Result<(FenceSummary, Exit)> {
        let database = &self.session.database;
        let references = self.guarded().await?;
        refuse_too_early(&references)?;
        let missing = missing(&references);
        let columns: Vec<String> = missing.iter().flatten().map(|fence| fence.column.to_string()).collect();
        let forecast = forecast(&missing, self.kind(), &fence_sizes(database).await?);
        self.confirm(FenceConfirmation { columns, forecast }, confirm)?;
        let phase = self.session.progress.phase("fence", u64::try_from(missing.len()).ok(), "tables");
        let mut done: Vec<String> = Vec::new();
        for of_table in &missing {
            self.session.interrupted()?;
            refuse(add_fences(database, lock, of_table, self.kind()).await?, of_table, &done)?;
            done.extend(of_table.iter().map(|fence| fence.column.to_string()));
            phase.add(1);
        }
        phase.finish();
        let references = if done.is_empty() { references } else { self.guarded().await? };
        if done.iter().any(|name| references.iter().any(|of| of.kind.is_none() && of.fence.column.to_string() == *name))
        {
            tracing::warn!(
                "the fence was set up but cannot be read back: constraints are shown to users with SELECT on the whole \
                 schema, triggers to users with TRIGGER on the table"
            );
        }
        let summary = self.summary(Some(run), &references, done);
        // A trigger looks at no row that is there: what was written before it is the next copy's.
        let legacy: u64 = references.iter().map(|reference| reference.legacy_rows).sum();
        if legacy > 0 {
            tracing::warn!("{legacy} legacy rows were written before the fence stood: run copy");
        }
        let exit = exit(summary.fenced && legacy == 0);
        Ok((summary, exit))
    }

    async fn take_away(&self, lock: &RunLock, run: u64) -> Result<(FenceSummary, Exit)> {
        let changed = drop_own_fence(self.session, lock).await?;
        let summary = FenceSummary { dropped: true, ..self.summary(Some(run), &self.guarded().await?, changed) };
        Ok((summary, Exit::Clean))
    }

    /// The references as they stand now.
    async fn guarded(&self) -> Result<Vec<Guarded>> {
        let (database, config) = (&self.session.database, &self.session.config);
        let phase = self.session.progress.phase("survey", None, "columns");
        let surveys = survey(database, config).await?;
        phase.add(u64::try_from(surveys.len())?);
        phase.finish();
        let found = references(config, &surveys);
        let fences: Vec<Fence> = found.iter().map(|column| Fence::of(database, column, &config.mappings)).collect();
        let kinds = read_fences(database, &fences).await?;
        let guarded = fences.into_iter().zip(kinds).map(|(fence, kind)| {
            let legacy_rows = legacy_rows(&surveys, &fence);
            Guarded { fence, kind, legacy_rows }
        });
        Ok(guarded.collect())
    }

    fn confirm(&self, asked: FenceConfirmation, confirm: &ConfirmFence<'_>) -> Result<()> {
        if asked.columns.is_empty() || self.options.yes || confirm(&asked)? {
            return Ok(());
        }
        let hint = "nothing was changed; run it again and type `fence`, or give --yes".to_owned();
        Err(Failure::Refused { reasons: vec!["the fence was not confirmed".to_owned()], hint }.into())
    }

    fn summary(&self, run: Option<u64>, references: &[Guarded], changed: Vec<String>) -> FenceSummary {
        FenceSummary {
            run,
            fenced: !references.is_empty() && references.iter().all(|reference| reference.kind.is_some()),
            references: references.iter().map(Guarded::shown).collect(),
            statements: Vec::new(),
            changed,
            forecast: None,
            elapsed: self.meter.elapsed(),
            dropped: false,
        }
    }
}

fn legacy_rows(surveys: &[ColumnSurvey], fence: &Fence) -> u64 {
    let of = surveys.iter().find(|survey| survey.column.name == fence.column);
    of.map(|survey| survey.counts.legacy).unwrap_or_default()
}

/// A trigger over a legacy row would refuse every later update of it, and a constraint cannot be made at all.
fn refuse_too_early(references: &[Guarded]) -> Result<()> {
    let left: Vec<String> = references
        .iter()
        .filter(|reference| reference.legacy_rows > 0)
        .map(|reference| format!("legacy rows are left in {}: {}", reference.fence.column, reference.legacy_rows))
        .collect();
    let (reasons, hint) = if references.is_empty() {
        let reason = "no column of the schema holds a legacy or a modern path: there is nothing to fence";
        (vec![reason.to_owned()], "check --database-url and the prefixes, or name the columns with --reference")
    } else if left.is_empty() {
        return Ok(());
    } else {
        (left, "run copy until no legacy row is left, then fence --apply")
    };
    Err(Failure::Refused { reasons, hint: hint.to_owned() }.into())
}

fn refuse(end: FenceEnd, of_table: &[&Fence], done: &[String]) -> Result<()> {
    let table = of_table.first().map(|fence| printable(&fence.column.table)).unwrap_or_default();
    let (reason, hint) = match end {
        FenceEnd::Done => return Ok(()),
        FenceEnd::LegacyLeft => (
            format!(
                "table `{table}` still holds a legacy path, or a suspect value in the form of one; it is as it was"
            ),
            "run copy, look into the report of verify, then fence --apply again",
        ),
        FenceEnd::Busy => (
            format!("a transaction has held table `{table}` for more than 5 s; it is as it was"),
            "run fence --apply again once that transaction has ended; every writer would queue up behind it",
        ),
    };
    let before = (!done.is_empty()).then(|| format!("fenced before: {}", done.join(", ")));
    let reasons = [reason].into_iter().chain(before).collect();
    Err(Failure::Refused { reasons, hint: hint.to_owned() }.into())
}
