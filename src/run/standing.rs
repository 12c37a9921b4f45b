//! `status`: where the migration stands, from the ledger alone. Nothing is written, no bucket is asked, no lock is taken.

use std::collections::BTreeMap;

use anyhow::Result;

use crate::config::Config;
use crate::database::{Database, LedgerName, LedgerView, RunRecord, lock_holder};
use crate::report::summary::{State, StatusSummary};

/// Looks once.
///
/// # Errors
/// If the database or its ledger cannot be read.
pub async fn status(database: &Database, config: &Config) -> Result<StatusSummary> {
    let holder = lock_holder(database, &LedgerName::new(&config.ledger_schema)).await?;
    let Some(view) = LedgerView::read(database, config).await? else {
        let state = if holder.is_some() { State::Locked } else { State::New };
        return Ok(StatusSummary {
            state,
            holder,
            objects: Some(BTreeMap::new()),
            rows_moved: Some(0),
            ..StatusSummary::default()
        });
    };
    let run = view.last_run(database).await?;
    let state = run.as_ref().map_or(State::New, state_of);
    let state = match state {
        State::Running | State::Silent => state,
        State::New | State::Ended | State::CutOff | State::Locked if holder.is_some() => State::Locked,
        State::New | State::Ended | State::CutOff | State::Locked => state,
    };
    let workers = match &run {
        Some(run) => view.workers(run.id).await?,
        None => Vec::new(),
    };
    Ok(StatusSummary {
        state,
        run,
        workers,
        holder: holder.filter(|_| state == State::Locked),
        objects: view.objects_by_state().await?.map(|counts| counts.into_iter().collect()),
        rows_moved: view.rows_moved().await?,
        last_cutover: view.last_cutover().await?,
        clean_for_seconds: view.clean_for_seconds().await?,
    })
}

fn state_of(run: &RunRecord) -> State {
    match (run.running, &run.finished_at) {
        (true, _) if run.is_silent() => State::Silent,
        (true, _) => State::Running,
        (false, Some(_)) => State::Ended,
        (false, None) => State::CutOff,
    }
}
