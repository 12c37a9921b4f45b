//! Who pulls the brake: a file, lagging replicas, a busy server; looked at every second while a session lasts.

use std::future::Future;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tokio::task::JoinSet;

use crate::config::Throttle;
use crate::database::{Database, Lag, replica_lag, threads_running};
use crate::failure::Failure;
use crate::pace::{Brake, Cause, Reasons};
use crate::report::progress::Progress;
use crate::report::text::{duration, printable};

/// How often each of them is looked at.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// An answer that takes longer is none.
const PATIENCE: Duration = Duration::from_secs(5);

/// Begins to look; ends when the set is dropped. The first look is over when this returns.
///
/// # Errors
/// [`Failure::Usage`] if a replica cannot be reached or asked, or is none.
pub(super) async fn watch(
    throttle: &Throttle,
    database: &Database,
    brake: &Brake,
    progress: &Progress,
) -> Result<JoinSet<()>> {
    let mut watchers = JoinSet::new();
    watchers.spawn(tell(brake.clone(), progress.clone()));
    if let Some(file) = throttle.pause_file.clone() {
        look(&mut watchers, brake, Cause::PauseFile, move || exists(file.clone())).await;
    }
    if let Some(most) = throttle.running_threads {
        let database = database.clone();
        look(&mut watchers, brake, Cause::Threads, move || busy(database.clone(), most)).await;
    }
    for (nth, config) in throttle.replicas.iter().enumerate() {
        let name = format!("{}:{}", config.host, config.port);
        let asked = async {
            let replica = Database::connect(config).await?;
            replica_lag(&replica).await.map(|_| replica)
        };
        let replica = asked.await.map_err(|error| unusable(&name, error))?;
        let most = throttle.replica_lag;
        look(&mut watchers, brake, Cause::Replica(nth), move || behind(replica.clone(), name.clone(), most)).await;
    }
    Ok(watchers)
}

fn unusable(name: &str, error: anyhow::Error) -> anyhow::Error {
    if error.is::<Failure>() {
        return error.context(format!("--replica-url {name}"));
    }
    let message = format!("the replica {name} cannot be asked how far it is behind: {error:#}");
    Failure::Usage { message, hint: "name a server that replicates with --replica-url".to_owned() }.into()
}

/// Asks for a reason to hold, once before the session begins and then again and again.
async fn look<F>(watchers: &mut JoinSet<()>, brake: &Brake, cause: Cause, reason: impl Fn() -> F + Send + 'static)
where
    F: Future<Output = Option<String>> + Send + 'static,
{
    brake.set(cause, reason().await);
    let brake = brake.clone();
    watchers.spawn(async move {
        loop {
            tokio::time::sleep(LOOK_AGAIN).await;
            brake.set(cause, reason().await);
        }
    });
}

async fn exists(file: PathBuf) -> Option<String> {
    let there = tokio::fs::try_exists(&file).await;
    // What cannot be seen may well be there.
    (!matches!(there, Ok(false))).then(|| format!("{} exists", printable(&file.display().to_string())))
}

async fn busy(database: Database, most: u64) -> Option<String> {
    match answered(threads_running(&database)).await {
        Ok(threads) if threads <= most => None,
        Ok(threads) => Some(format!("{threads} threads of the database are at work, over {most}")),
        Err(error) => Some(format!("the database does not say how busy it is: {error:#}")),
    }
}

async fn behind(replica: Database, name: String, most: Duration) -> Option<String> {
    match answered(replica_lag(&replica)).await {
        Ok(Lag::Seconds(seconds)) if seconds <= most.as_secs() => None,
        Ok(Lag::Seconds(seconds)) => {
            Some(format!("the replica {name} is {seconds} s behind, over {} s", most.as_secs()))
        }
        Ok(Lag::Broken) => Some(format!("the replica {name} does not replicate")),
        Err(error) => Some(format!("the replica {name} does not say how far it is behind: {error:#}")),
    }
}

async fn answered<T>(asked: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::time::timeout(PATIENCE, asked).await.context("no answer in time")?
}

/// Says when the run is held up, why, and when it goes on.
async fn tell(brake: Brake, progress: Progress) {
    let mut news = brake.news();
    let (mut known, mut since) = (Reasons::new(), Instant::now());
    loop {
        let reasons = news.borrow_and_update().clone();
        if known.is_empty() {
            since = Instant::now();
        }
        for reason in reasons.iter().filter(|(cause, _)| !known.contains_key(cause)).map(|(_, reason)| reason) {
            progress.println(&format!("paused: {}", printable(reason)));
        }
        if reasons.is_empty() && !known.is_empty() {
            progress.println(&format!("going on after {}", duration(since.elapsed())));
        }
        known = reasons;
        if news.changed().await.is_err() {
            return;
        }
    }
}
