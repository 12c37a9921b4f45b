//! The brake: what holds a run up for a while, by an operator's will or for the sake of a busy server.
//!
//! Work is held before it begins, at places where nothing is open: before a page is read or listed, an object copied or
//! compared, a batch deleted, a transaction begun. What is under way is finished.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Who pulls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// A person, by a signal.
    Signal,
    /// A file that exists.
    PauseFile,
    /// The how-manieth replica lags.
    Replica(usize),
    /// The server has too many threads at work.
    Threads,
}

/// Why each of them does, for a person.
pub type Reasons = BTreeMap<Cause, String>;

/// A brake. Clones are the same one.
#[derive(Clone, Debug)]
pub struct Brake {
    reasons: Arc<watch::Sender<Reasons>>,
    stop: CancellationToken,
}

impl Brake {
    /// A brake that nobody pulls, and that holds nothing any more once `stop` is set.
    #[must_use]
    pub fn new(stop: CancellationToken) -> Self {
        Self { reasons: Arc::new(watch::Sender::new(Reasons::new())), stop }
    }

    /// Pulls it for this cause, with the reason, or lets it go.
    pub fn set(&self, cause: Cause, why: Option<String>) {
        self.reasons.send_if_modified(|reasons| {
            // A reason that only changes its numbers is no news.
            let news = why.is_some() != reasons.contains_key(&cause);
            match why {
                Some(why) => drop(reasons.insert(cause, why)),
                None => drop(reasons.remove(&cause)),
            }
            news
        });
    }

    /// Pulls it if this cause does not, and lets it go if it does.
    pub fn toggle(&self, cause: Cause, why: &str) {
        let held = self.reasons.borrow().contains_key(&cause);
        self.set(cause, (!held).then(|| why.to_owned()));
    }

    /// Whether anybody pulls it.
    #[must_use]
    pub fn holds(&self) -> bool {
        !self.reasons.borrow().is_empty() && !self.stop.is_cancelled()
    }

    /// The reasons, as they change.
    #[must_use]
    pub fn news(&self) -> watch::Receiver<Reasons> {
        self.reasons.subscribe()
    }

    /// Waits until nobody pulls it, or the run is to stop; gives how long that took.
    pub async fn passed(&self) -> Duration {
        if !self.holds() {
            return Duration::ZERO;
        }
        let (begun, mut news) = (Instant::now(), self.news());
        // The sender lives as long as this brake.
        self.stop.run_until_cancelled(news.wait_for(BTreeMap::is_empty)).await;
        begun.elapsed()
    }
}

impl Default for Brake {
    fn default() -> Self {
        Self::new(CancellationToken::new())
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[tokio::test]
    async fn it_holds_until_the_last_cause_is_gone() {
        let brake = Brake::default();
        assert_eq!(brake.passed().await, Duration::ZERO);
        brake.set(Cause::PauseFile, Some("a file".to_owned()));
        brake.toggle(Cause::Signal, "a signal");
        let held = brake.clone();
        let mut passage = std::pin::pin!(held.passed());
        assert!(brake.holds() && passage.as_mut().now_or_never().is_none());
        brake.set(Cause::PauseFile, None);
        assert!(passage.as_mut().now_or_never().is_none());
        brake.toggle(Cause::Signal, "a signal");
        assert!(passage.await > Duration::ZERO);
    }

    #[tokio::test]
    async fn a_run_that_is_to_stop_is_held_no_longer() {
        let stop = CancellationToken::new();
        let brake = Brake::new(stop.clone());
        brake.set(Cause::Threads, Some("busy".to_owned()));
        stop.cancel();
        assert!(!brake.holds());
        brake.passed().await;
    }

    #[test]
    fn only_another_cause_is_news() {
        let brake = Brake::default();
        let mut news = brake.news();
        brake.set(Cause::Replica(0), Some("6 s behind".to_owned()));
        assert!(news.has_changed().expect("a sender"));
        news.mark_unchanged();
        brake.set(Cause::Replica(0), Some("7 s behind".to_owned()));
        assert!(!news.has_changed().expect("a sender"));
        assert_eq!(news.borrow()[&Cause::Replica(0)], "7 s behind");
    }
}
