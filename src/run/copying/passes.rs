//! Passes of plan, copy and cutover, until nothing moves any more; and with `--watch` again, while an application still
//! writes legacy paths.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::Result;
use futures::future::join;

use super::{CopyRun, legacy_rows};
use crate::config::{ColumnName, CopyOptions, Watch};
use crate::database::{ColumnSurvey, MovedSince, Part, TextColumn, count_planned, references, survey};
use crate::failure::Failure;
use crate::plan::plan;
use crate::report::summary::{StillWritten, Watched};
use crate::report::text::{counted, duration, printable};
use crate::run::{Session, legacy_in};
use crate::store::CopyObjects;

/// An application that keeps writing legacy rows is followed so often before the command ends, or looks at the clock.
const PASSES_MAX: u32 = 20;

impl<C: CopyObjects> CopyRun<'_, C> {
    /// Passes until nothing moves any more; gives the last survey.
    pub(super) async fn passes(
        &mut self,
        mut surveys: Vec<ColumnSurvey>,
        options: &CopyOptions,
    ) -> Result<Vec<ColumnSurvey>> {
        let Session { database, config, .. } = self.work.session;
        let mut passes = 0;
        while passes < PASSES_MAX {
            // The plan is a heavy statement: what holds the run holds it here.
            self.work.session.pace.brake().passed().await;
            self.work.session.interrupted()?;
            let references = references(config, &surveys);
            let legacy = legacy_rows(&surveys, &references);
            if legacy == 0 {
                break;
            }
            self.totals.passes += 1;
            let moved = self.pass(&references, legacy, options).await?;
            surveys = survey(database, config).await?;
            if (moved.rows == 0 && !moved.held) || options.limit.is_some() {
                break;
            }
            // One that was held up was none of the application's doing.
            passes += u32::from(!moved.held);
        }
        Ok(surveys)
    }

    /// Does `other` while it is tried what the endpoint enforces. Neither is given up for the other: scratch objects would be left.
    pub(super) async fn while_trying<T>(&self, other: impl Future<Output = Result<T>>) -> Result<T> {
        let (proved, done) = join(self.work.prove_conditions(), other).await;
        proved?;
        done
    }

    /// Plans the pass; gives how many objects it has.
    pub(super) async fn planned(&self, references: &[TextColumn], legacy: u64, options: &CopyOptions) -> Result<u64> {
        let Session { database, config, progress, .. } = self.work.session;
        // Readers may have picked up a legacy path until now: the grace period begins anew.
        self.work.ledger.reset_grace_clock(self.lock).await?;
        let phase = progress.phase("plan", None, "rows");
        let part = Part { pass: self.totals.passes, prefix: options.only_prefix.as_deref().unwrap_or_default() };
        plan(database, self.lock, &self.work.ledger, config, references, part).await?;
        phase.add(legacy);
        let planned = count_planned(&self.work.ledger, part.pass).await?;
        self.forget_plans(part.pass, planned).await?;
        phase.finish();
        Ok(planned)
    }

    /// Forgets of the plans before this one about as much as it has `planned`: so they do not pile up where runs end early or watch for
    /// weeks, and nobody waits for what a large one has left.
    async fn forget_plans(&self, pass: u32, planned: u64) -> Result<()> {
        let mut forgotten = 0;
        while forgotten <= planned {
            self.work.session.interrupted()?;
            self.work.session.pace.brake().passed().await;
            match self.work.ledger.forget_plans(self.lock, pass).await? {
                0 => break,
                gone => forgotten += gone,
            }
        }
        Ok(())
    }

    /// Looks for new legacy rows until none came for long enough, and moves them; gives the last survey.
    pub(super) async fn watch(
        &mut self,
        mut surveys: Vec<ColumnSurvey>,
        options: &CopyOptions,
        watch: Watch,
    ) -> Result<Vec<ColumnSurvey>> {
        let (session, begun) = (self.work.session, Instant::now());
        let (mut seen, mut quiet, mut looks) = (begun, begun, 0);
        let mut journal = MovedSince::now(&self.work.ledger).await?;
        let mut written: BTreeMap<ColumnName, u64> = BTreeMap::new();
        session.progress.println(&announcement(watch));
        let phase = session.progress.phase("watch", None, "looks");
        while watch.until_empty.is_none_or(|long| quiet.elapsed() < long) {
            let rest = watch.until_empty.map_or(watch.every, |long| long.saturating_sub(quiet.elapsed()));
            let wait = tokio::time::sleep(watch.every.min(rest));
            session.stop.run_until_cancelled(wait).await.ok_or(Failure::Interrupted)?;
            let before = self.legacy_by_reference(&surveys);
            surveys = survey(&session.database, &session.config).await?;
            surveys = self.passes(surveys, options).await?;
            looks += 1;
            phase.add(1);
            let moved = journal.read(&self.work.ledger).await?;
            let came = came(&before, &self.legacy_by_reference(&surveys), &moved);
            for (column, rows) in &came {
                session.progress.println(&still_written(column, *rows, seen.elapsed()));
                *written.entry(column.clone()).or_default() += rows;
            }
            seen = Instant::now();
            // One that moved may have taken the place of one that could not, and was deleted.
            if !came.is_empty() || !moved.is_empty() {
                quiet = seen;
            }
        }
        phase.finish();
        let still = |(column, rows): (ColumnName, u64)| {
            let per_minute = per_minute(rows, begun.elapsed());
            StillWritten { reference: column.to_string(), rows, per_minute }
        };
        let written = written.into_iter().map(still).collect();
        self.totals.watched = Some(Watched { looks, elapsed: begun.elapsed(), quiet: quiet.elapsed(), written });
        Ok(surveys)
    }

    fn legacy_by_reference(&self, surveys: &[ColumnSurvey]) -> BTreeMap<ColumnName, u64> {
        let references = references(&self.work.session.config, surveys);
        let names = references.into_iter().map(|column| column.name);
        names.map(|name| (name.clone(), legacy_in(surveys, &name))).collect()
    }
}

/// Which columns got new legacy rows, and how many: those that have moved since, and those that are left over. A row that
/// cannot move is no new one at the next look.
fn came(
    left_before: &BTreeMap<ColumnName, u64>,
    left: &BTreeMap<ColumnName, u64>,
    moved: &BTreeMap<ColumnName, u64>,
) -> BTreeMap<ColumnName, u64> {
    let of = |counts: &BTreeMap<ColumnName, u64>, column| counts.get(column).copied().unwrap_or_default();
    let grown = left.keys().chain(moved.keys()).map(|column| {
        let now = of(left, column) + of(moved, column);
        (column.clone(), now.saturating_sub(of(left_before, column)))
    });
    grown.filter(|(_, rows)| *rows > 0).collect()
}

fn announcement(watch: Watch) -> String {
    let end = match watch.until_empty {
        Some(long) => format!("until none came for {}", duration(long)),
        None => "until it is interrupted".to_owned(),
    };
    format!("watch: looking for new legacy rows every {}, {end}", duration(watch.every))
}

fn still_written(column: &ColumnName, rows: u64, time: Duration) -> String {
    let (name, rows_said) = (printable(&column.to_string()), counted(rows, "legacy row", "legacy rows"));
    let rate = per_minute(rows, time);
    format!("watch: {name} is still written, {rows_said} in {} ({rate:.1} a minute)", duration(time))
}

fn per_minute(rows: u64, time: Duration) -> f64 {
    rows as f64 * 60.0 / time.as_secs_f64().max(f64::MIN_POSITIVE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_not_move_before_is_not_new() {
        let column = |name: &str| ColumnName { table: "t".to_owned(), column: name.to_owned() };
        let counts =
            |of: &[(&str, u64)]| of.iter().map(|(name, rows)| (column(name), *rows)).collect::<BTreeMap<_, _>>();
        let came = |before, left, moved| came(&counts(before), &counts(left), &counts(moved));
        assert_eq!(came(&[("a", 2)], &[("a", 2)], &[]), counts(&[]), "stuck");
        assert_eq!(came(&[("a", 2)], &[("a", 3)], &[("a", 4)]), counts(&[("a", 5)]), "some moved, one got stuck");
        assert_eq!(came(&[], &[], &[("b", 1)]), counts(&[("b", 1)]), "a column that held no path before");
        assert_eq!(came(&[("a", 2)], &[("a", 1)], &[]), counts(&[]), "one was deleted");
    }
}
