//! One command from settings to exit code.

use std::time::Duration;

use anyhow::{Context, Result};
use tokio_util::sync::CancellationToken;

use super::{confirm, print, signals};
use crate::config::{
    Command, Config, CopyOptions, DoctorOptions, FenceOptions, FinalizeOptions, LedgerOptions, Output, PolicyOptions,
    RedirectOptions, ResolveOptions, RollbackOptions, Settings, VerifyOptions,
};
use crate::database::Database;
use crate::failure::{Exit, Failure, exit_of};
use crate::operate::redirect::{first_resolver, redirect};
use crate::pace::Brake;
use crate::report::human::{copy_text, finalize_text, verify_text};
use crate::report::progress::Progress;
use crate::report::summary::MigrateSummary;
use crate::report::text::printable;
use crate::run::{
    Confirmation, FenceConfirmation, FinalizeEnd, PolicyConfirmation, PruneConfirmation, ResolveConfirmation,
    RollbackConfirmation, Session, change_policy, check_files, copy, doctor, explain, fence, finalize, policy, prune,
    resolve, rollback, status, verify,
};

/// Runs the command and prints how it ended.
pub(super) async fn execute(settings: Settings, progress: Progress) -> Exit {
    let (command, output) = (settings.command, settings.output);
    match try_execute(settings, progress.clone()).await {
        Ok(exit) => exit,
        Err(error) => {
            print::ending(command, output, &error);
            print::failure(&error, &progress);
            exit_of(&error)
        }
    }
}

async fn try_execute(settings: Settings, progress: Progress) -> Result<Exit> {
    let stop = CancellationToken::new();
    let brake = Brake::new(stop.clone());
    signals::listen(stop.clone(), brake.clone(), progress.clone());
    let (config, output) = (&settings.config, settings.output);
    let session = Session::open(config.clone(), progress.clone(), stop.clone(), brake);
    match settings.command {
        Command::Doctor => examine(config, output, &settings.doctor, &progress, &stop).await,
        Command::Policy => policies(config, output, &settings.policy).await,
        Command::Redirect => configuration(config, settings.redirect.as_ref()),
        Command::Status => watch(config, output, settings.status_watch, &stop).await,
        Command::Copy => within(session, async |session| copied(session, output, &settings.copy).await).await,
        Command::Verify => within(session, async |session| verified(session, output, &settings.verify).await).await,
        Command::Finalize => {
            within(session, async |session| finalized(session, output, &settings.finalize).await).await
        }
        Command::Rollback => within(session, async |session| put_back(session, output, &settings.rollback).await).await,
        Command::Fence => within(session, async |session| fenced(session, output, &settings.fence).await).await,
        Command::Resolve => {
            within(session, async |session| resolved(session, output, settings.resolve.as_ref()).await).await
        }
        Command::Explain => {
            within(session, async |session| explained(session, output, settings.explain.as_deref()).await).await
        }
        Command::Ledger => {
            within(session, async |session| pruned(session, output, settings.ledger.as_ref()).await).await
        }
        Command::Migrate => within(session, async |session| migrate(session, output, &settings).await).await,
    }
}

/// Does the work of a command in a session, which is closed whatever comes of it.
async fn within(
    opening: impl Future<Output = Result<Session>>,
    work: impl AsyncFnOnce(&Session) -> Result<Exit>,
) -> Result<Exit> {
    let session = opening.await?;
    let ended = work(&session).await;
    session.close().await;
    ended
}

async fn copied(session: &Session, output: Output, options: &CopyOptions) -> Result<Exit> {
    let (summary, exit) = copy(session, options).await?;
    print::copy(output, &summary).map(|()| exit)
}

async fn verified(session: &Session, output: Output, options: &VerifyOptions) -> Result<Exit> {
    let (summary, exit) = verify(session, options).await?;
    print::verify(output, &summary).map(|()| exit)
}

async fn finalized(session: &Session, output: Output, options: &FinalizeOptions) -> Result<Exit> {
    let end = confirmed(session, options).await?;
    print::finalize(output, &end.summary)?;
    print::refused(&end, &session.progress);
    Ok(end.exit)
}

async fn put_back(session: &Session, output: Output, options: &RollbackOptions) -> Result<Exit> {
    let ask = |asked: &RollbackConfirmation| confirm::ask_rollback(&session.progress, asked);
    let (summary, exit) = rollback(session, options, &ask).await?;
    print::rollback(output, &summary).map(|()| exit)
}

async fn fenced(session: &Session, output: Output, options: &FenceOptions) -> Result<Exit> {
    let ask = |asked: &FenceConfirmation| confirm::ask_fence(&session.progress, asked);
    let (summary, exit) = fence(session, options, &ask).await?;
    print::fence(output, &summary).map(|()| exit)
}

async fn explained(session: &Session, output: Output, given: Option<&str>) -> Result<Exit> {
    let (summary, exit) = explain(session, given.context("explain without a key")?).await?;
    print::explain(output, &summary).map(|()| exit)
}

async fn pruned(session: &Session, output: Output, options: Option<&LedgerOptions>) -> Result<Exit> {
    let options = options.context("ledger without its options")?;
    let ask = |asked: &PruneConfirmation| confirm::ask_prune(&session.progress, asked);
    let (summary, exit) = prune(session, options, &ask).await?;
    print::prune(output, &summary).map(|()| exit)
}

async fn policies(config: &Config, output: Output, options: &PolicyOptions) -> Result<Exit> {
    print::policy(output, &policy(config, options).await?).map(|()| Exit::Clean)
}

/// Without a session: what keeps one from opening is what `doctor` is to find.
async fn examine(
    config: &Config,
    output: Output,
    options: &DoctorOptions,
    progress: &Progress,
    stop: &CancellationToken,
) -> Result<Exit> {
    let ask = |asked: &PolicyConfirmation| confirm::ask_policy(progress, asked);
    let (summary, exit) = match options.change {
        Some(change) => change_policy(config, options, change, &ask).await?,
        None => doctor(config, progress, stop).await?,
    };
    print::doctor(output, &summary)?;
    Ok(exit)
}

/// Prints what stands before the buckets, made from the settings and the name servers of this host.
fn configuration(config: &Config, options: Option<&RedirectOptions>) -> Result<Exit> {
    let options = options.context("redirect without its options")?;
    let resolver = first_resolver(&std::fs::read_to_string(RESOLV_CONF).unwrap_or_default());
    let printed = redirect(config, options, resolver)
        .map_err(|error| Failure::Usage { message: error.message, hint: error.hint.unwrap_or_default() })?;
    for warning in &printed.warnings {
        tracing::warn!("{}", printable(warning));
    }
    print::configuration(&printed.text)?;
    Ok(Exit::Clean)
}

/// Where a Unix system names its name servers (resolv.conf(5)).
const RESOLV_CONF: &str = "/etc/resolv.conf";

/// Shows where the migration stands, once or until no run is at work; no bucket is asked.
async fn watch(config: &Config, output: Output, every: Option<Duration>, stop: &CancellationToken) -> Result<Exit> {
    let database = Database::connect(&config.database).await?;
    let mut lines = 0;
    loop {
        let summary = status(&database, config).await?;
        lines = print::status(output, &summary, lines)?;
        let Some(every) = every.filter(|_| summary.is_at_work()) else {
            database.close().await;
            return Ok(Exit::Clean);
        };
        if stop.run_until_cancelled(tokio::time::sleep(every)).await.is_none() {
            return Err(Failure::Interrupted.into());
        }
    }
}

async fn resolved(session: &Session, output: Output, options: Option<&ResolveOptions>) -> Result<Exit> {
    let options = options.context("resolve without its options")?;
    let ask = |asked: &ResolveConfirmation| confirm::ask_resolve(&session.progress, asked);
    let (summary, exit) = resolve(session, options, &ask).await?;
    print::resolve(output, &summary)?;
    Ok(exit)
}

async fn confirmed(session: &Session, options: &FinalizeOptions) -> Result<FinalizeEnd> {
    let ask = |asked: &Confirmation| confirm::ask(&session.progress, asked);
    finalize(session, options, &ask).await
}

/// The one-line form: copy, verify, finalize, stopping at the first that does not return 0.
async fn migrate(session: &Session, output: Output, settings: &Settings) -> Result<Exit> {
    let Settings { copy: copying, verify: verifying, finalize: finalizing, .. } = settings;
    if !copying.dry_run {
        check_files(Some(verifying), finalizing)?;
    }
    let (copied, exit) = copy(session, copying).await?;
    let goes_on = exit == Exit::Clean && !copying.dry_run;
    print::part(output, ("copy", goes_on), &copied, copy_text)?;
    let mut summary = MigrateSummary { copy: Some(copied), verify: None, finalize: None };
    if !goes_on {
        print::migrate(output, &summary)?;
        return Ok(exit);
    }
    let (verified, exit) = verify(session, verifying).await?;
    let goes_on = exit == Exit::Clean;
    print::part(output, ("verify", goes_on), &verified, verify_text)?;
    summary.verify = Some(verified);
    if !goes_on {
        print::migrate(output, &summary)?;
        return Ok(exit);
    }
    let end = confirmed(session, finalizing).await?;
    print::part(output, ("finalize", false), &end.summary, finalize_text)?;
    summary.finalize = Some(end.summary.clone());
    print::migrate(output, &summary)?;
    print::refused(&end, &session.progress);
    Ok(end.exit)
}
