//! The heart-beat: it tells other runs that the holder lives, and this run that its session is gone.

use std::time::Duration;

use serde::Serialize;
use sqlx::Connection;
use tokio::time::timeout;

use super::RunLock;
use crate::database::sql::statement;

/// What a run is at, and how far.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Activity {
    /// The phase, such as `copy`.
    pub name: String,
    /// How many are done.
    pub done: u64,
    /// How many there are, if that is known.
    pub total: Option<u64>,
    /// What is counted, such as `objects`.
    pub unit: String,
    /// Since the phase began.
    pub seconds: f64,
}

const HEARTBEAT: Duration = Duration::from_secs(5);
/// A beat that takes longer has failed; the next one makes up for it.
const PATIENCE: Duration = Duration::from_secs(10);

impl RunLock {
    /// Starts the heart-beat of `run`: the holder's row stays fresh, and the lock's connection never idles out. While a
    /// statement runs on that connection, another one asks whether its session is still there: a network that went silent
    /// would let the program wait for ever. Each beat also leaves what the run is at, for `status`.
    pub(crate) fn beat(&mut self, run: u64, activity: impl Fn() -> Option<Activity> + Send + 'static) {
        let sql = statement!("heartbeat.sql").with("ledger", &self.ledger.quoted());
        let phase = statement!("run_phase.sql").with("ledger", &self.ledger.quoted());
        let (pool, connection) = (self.database.pool().clone(), self.connection.clone());
        let (name, standing) = (self.name.clone(), self.standing.clone());
        self.run = Some(run);
        self.heart = Some(tokio::spawn(async move {
            loop {
                tokio::time::sleep(HEARTBEAT).await;
                let at = activity().unwrap_or_default();
                let told = sqlx::query(phase.clone().sql()).bind(at.name).bind(at.done).bind(at.total).bind(at.unit);
                let told = told.bind(at.seconds).bind(run).execute(&pool);
                // A beat that fails is made up for by the next one; what counts is the lock itself, checked below. Both at
                // once, so that a silent network is noticed no later for the sake of `status`.
                let beat = sqlx::query(sql.clone().sql()).bind(run).execute(&pool);
                drop(timeout(PATIENCE, async { tokio::join!(beat, told) }).await);
                let holder = standing.borrow().connection_id;
                let idle = connection.try_lock();
                let gone = if let Ok(mut idle) = idle {
                    match idle.as_mut() {
                        Some(connection) => !matches!(timeout(PATIENCE, connection.ping()).await, Ok(Ok(()))),
                        None => false,
                    }
                } else {
                    let asked =
                        sqlx::query_scalar("SELECT CAST(IS_USED_LOCK(?) AS UNSIGNED)").bind(&name).fetch_one(&pool);
                    // No answer is no news.
                    let holds = |id: Option<u64>| id == Some(holder);
                    timeout(PATIENCE, asked).await.is_ok_and(|answer| answer.is_ok_and(|id| !holds(id)))
                };
                // Unless another session holds it by now.
                standing.send_if_modified(|standing| {
                    let news = gone && standing.connection_id == holder && !standing.gone;
                    standing.gone |= news;
                    news
                });
            }
        }));
    }
}
