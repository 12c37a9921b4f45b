//! One command from settings to exit code.

use std::time::Duration;

use anyhow::{Context, Result};
use tokio_util::sync::CancellationToken;

use super::{confirm, print, signals};
use crate::config::{
    Command, Config, DoctorOptions, FinalizeOptions, Output, PolicyOptions, RedirectOptions, ResolveOptions, Settings,
    VerifyOptions,
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
    if settings.command == Command::Doctor {
        return examine(&settings.config, settings.output, &settings.doctor, &progress, &stop).await;
    }
    if settings.command == Command::Policy {
        return policies(&settings.config, settings.output, &settings.policy).await;
    }
    if settings.command == Command::Status {
        return watch(&settings.config, settings.output, settings.status_watch, &stop).await;
    }
    if settings.command == Command::Redirect {
        return configuration(&settings.config, settings.redirect.as_ref());
    }
    let session = Session::open(settings.config, progress, stop, brake).await?;
    let output = settings.output;
    let ended = match settings.command {
        Command::Copy => {
            let (summary, exit) = copy(&session, &settings.copy).await?;
            print::copy(output, &summary)?;
            Ok(exit)
        }
        Command::Verify => {
            let (summary, exit) = verify(&session, &settings.verify).await?;
            print::verify(output, &summary)?;
            Ok(exit)
        }
        Command::Finalize => {
            let end = confirmed(&session, &settings.finalize).await?;
            print::finalize(output, &end.summary)?;
            print::refused(&end, &session.progress);
            Ok(end.exit)
        }
        Command::Rollback => {
            let ask = |asked: &RollbackConfirmation| confirm::ask_rollback(&session.progress, asked);
            let (summary, exit) = rollback(&session, &settings.rollback, &ask).await?;
            print::rollback(output, &summary)?;
            Ok(exit)
        }
        Command::Doctor => examine(&session.config, output, &settings.doctor, &session.progress, &session.stop).await,
        Command::Policy => policies(&session.config, output, &settings.policy).await,
        Command::Fence => {
            let ask = |asked: &FenceConfirmation| confirm::ask_fence(&session.progress, asked);
            let (summary, exit) = fence(&session, &settings.fence, &ask).await?;
            print::fence(output, &summary)?;
            Ok(exit)
        }
        Command::Redirect => configuration(&session.config, settings.redirect.as_ref()),
        Command::Resolve => resolved(&session, output, settings.resolve.as_ref()).await,
        Command::Explain => {
            let (summary, exit) =
                explain(&session, settings.explain.as_deref().context("explain without a key")?).await?;
            print::explain(output, &summary)?;
            Ok(exit)
        }
        Command::Ledger => {
            let options = settings.ledger.context("ledger without its options")?;
            let ask = |asked: &PruneConfirmation| confirm::ask_prune(&session.progress, asked);
            let (summary, exit) = prune(&session, &options, &ask).await?;
            print::prune(output, &summary)?;
            Ok(exit)
        }
        Command::Status => watch(&session.config, output, settings.status_watch, &session.stop).await,
        Command::Migrate => migrate(&session, output, &settings.verify, &settings.finalize, &settings.copy).await,
    };
    session.close().await;
    ended
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
async fn migrate(
    session: &Session,
    output: Output,
    verifying: &VerifyOptions,
    finalizing: &FinalizeOptions,
    copying: &crate::config::CopyOptions,
) -> Result<Exit> {
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
