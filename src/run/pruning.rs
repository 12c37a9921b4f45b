//! `ledger prune`: what old runs have left in the ledger is forgotten, bit by bit. No row and no object is touched.

use anyhow::Result;

use super::{Session, refused, sign_off};
use crate::config::LedgerOptions;
use crate::database::{Ledger, LedgerName, Lines, Prunable, RunLock, Through};
use crate::failure::Exit;
use crate::report::summary::PruneSummary;

/// What is about to be forgotten: what a person confirms.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PruneConfirmation {
    /// How much.
    pub lines: Prunable,
    /// The last run that it is of.
    pub through: Through,
}

/// Asks a person; `Ok(false)` is a no.
pub type ConfirmPrune<'a> = dyn Fn(&PruneConfirmation) -> Result<bool> + Sync + 'a;

/// Runs `ledger prune`.
///
/// # Errors
/// What keeps the command from going on; what went before is gone.
pub async fn prune(
    session: &Session,
    options: &LedgerOptions,
    confirm: &ConfirmPrune<'_>,
) -> Result<(PruneSummary, Exit)> {
    let (database, config) = (&session.database, &session.config);
    let name = LedgerName::new(&config.ledger_schema);
    let mut lock = RunLock::take(database, &name, config.lock_wait).await?;
    let ledger = Ledger::open(database, &mut lock, config, "prune", session.activity()).await?;
    let ended = steps(session, options, confirm, (&ledger, &lock)).await;
    Ok((sign_off(ended, |_| Exit::Clean, ledger, lock).await?, Exit::Clean))
}

async fn steps(
    session: &Session,
    options: &LedgerOptions,
    confirm: &ConfirmPrune<'_>,
    (ledger, lock): (&Ledger, &RunLock),
) -> Result<PruneSummary> {
    let meter = session.meter();
    let through = ledger.prunable_through(options.older_than).await?;
    let lines = ledger.prunable(&through).await?;
    let count = lines.paths + lines.objects + lines.row_changes;
    if count > 0 && !options.dry_run {
        let asked = PruneConfirmation { lines, through: through.clone() };
        // Only lines of plans are no loss to anybody.
        let loses = lines.objects + lines.row_changes > 0;
        if loses && !options.yes && !confirm(&asked)? {
            let hint = "nothing was changed; run it again and type the answer, or give --yes";
            return Err(refused("the loss was not confirmed".to_owned(), hint));
        }
        let phase = session.progress.phase("prune", Some(count), "lines");
        for of in [Lines::Plans, Lines::Urls, Lines::Objects, Lines::RowChanges] {
            loop {
                session.interrupted()?;
                session.database.brake().passed().await;
                match ledger.prune(lock, of, &through).await? {
                    0 => break,
                    pruned => phase.add(pruned),
                }
            }
        }
        phase.finish();
    }
    Ok(PruneSummary {
        run: ledger.run(),
        dry_run: options.dry_run,
        through: (through.run > 0).then_some(through.run),
        through_at: (through.run > 0).then_some(through.at),
        pruned: lines,
        elapsed: meter.elapsed(),
    })
}
