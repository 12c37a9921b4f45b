//! Visitors of a site, who ask for every picture by every URL, over and over.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use super::client::Request;
use crate::process::until;
use crate::support::content;

/// Each begins at another place of the list.
const VISITORS: usize = 2;

pub(super) struct Visitors {
    seen: Arc<Seen>,
    threads: Vec<JoinHandle<()>>,
}

#[derive(Default)]
struct Seen {
    end: AtomicBool,
    rounds: [AtomicU64; VISITORS],
    broken: Mutex<Vec<String>>,
}

impl Visitors {
    /// `urls` are targets with the key whose content they have to show.
    pub(super) fn start(server: SocketAddr, urls: Vec<(String, String)>) -> Self {
        let (seen, urls) = (Arc::new(Seen::default()), Arc::new(urls));
        let visitor = |n: usize| {
            let (seen, urls) = (Arc::clone(&seen), Arc::clone(&urls));
            std::thread::spawn(move || {
                while !seen.end.load(Ordering::SeqCst) {
                    let from = n * urls.len() / VISITORS;
                    for (url, key) in urls.iter().cycle().skip(from).take(urls.len()) {
                        seen.look(server, url, key);
                    }
                    seen.rounds[n].fetch_add(1, Ordering::SeqCst);
                }
            })
        };
        Self { threads: (0..VISITORS).map(visitor).collect(), seen }
    }

    /// Waits until each has seen every picture again, from first to last.
    #[track_caller]
    pub(super) fn see_everything(&self) {
        // The round that is under way began before.
        let wanted: Vec<u64> = self.seen.rounds.iter().map(|rounds| rounds.load(Ordering::SeqCst) + 2).collect();
        until("every picture is seen", || {
            let mut rounds = self.seen.rounds.iter().zip(&wanted);
            rounds.all(|(rounds, wanted)| rounds.load(Ordering::SeqCst) >= *wanted)
        });
        self.seen.demand_whole();
    }

    /// Sends them home; gives the rounds of the slowest.
    #[track_caller]
    pub(super) fn stop(mut self) -> u64 {
        self.go_home();
        self.seen.demand_whole();
        self.seen.rounds.iter().map(|rounds| rounds.load(Ordering::SeqCst)).min().unwrap_or_default()
    }

    fn go_home(&mut self) {
        self.seen.end.store(true, Ordering::SeqCst);
        for thread in self.threads.drain(..) {
            thread.join().unwrap_or_default();
        }
    }
}

impl Drop for Visitors {
    fn drop(&mut self) {
        self.go_home();
    }
}

impl Seen {
    fn look(&self, server: SocketAddr, url: &str, key: &str) {
        let wrong = match Request::get(url).try_to(server) {
            Ok(answer) if answer.status == 200 && answer.body == content(key) => return,
            Ok(answer) => format!("{url}: {} with {} bytes", answer.status, answer.body.len()),
            Err(error) => format!("{url}: {error}"),
        };
        self.broken.lock().expect("a lock").push(wrong);
    }

    #[track_caller]
    fn demand_whole(&self) {
        let broken = self.broken.lock().expect("a lock").clone();
        assert!(broken.is_empty(), "{} broken pictures, such as {:?}", broken.len(), broken.first());
    }
}
