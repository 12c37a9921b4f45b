//! Faults at requests that are told apart by what they ask for, and the observer that looks on at each of them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use avatar_migrate_kit::{EmbeddedS3, Fault, RequestSeen};

use super::kind::Kind;
use crate::process::until;

/// Below this prefix are scratch objects.
pub(super) const SCRATCH: &str = ".avatar-migrate/";

/// A request of a run: what it asks for, and the how-manieth of these it is. The requests of a window of objects and the
/// parts of an upload run side by side, so that a mere number would mean another request each time.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Point {
    pub(super) operation: String,
    place: String,
    nth: u64,
}

impl Point {
    /// Whether it is about a scratch object.
    pub(super) fn is_scratch(&self) -> bool {
        self.place.contains(SCRATCH)
    }

    /// Whether it is about a scratch object of the production bucket, on which copies are tried.
    pub(super) fn is_copy_canary(&self) -> bool {
        self.is_scratch() && self.place.starts_with("production-s3/")
    }
}

impl std::fmt::Debug for Point {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{} {} #{}", self.operation, self.place, self.nth)
    }
}

/// A fault and where it strikes.
pub(super) type Strike = (Point, Kind);

/// What goes on at each request of one run.
pub(super) struct Injector {
    strikes: Vec<Strike>,
    hit: Vec<AtomicBool>,
    met: Mutex<Met>,
    expired: AtomicBool,
    /// The program; 0 until it has started.
    pid: AtomicU32,
    /// The request after which the program is to be killed.
    kill_after: AtomicU64,
    broken: Mutex<Vec<String>>,
}

#[derive(Default)]
struct Met {
    counts: BTreeMap<(String, String), u64>,
    points: Vec<Point>,
}

impl Injector {
    /// Strikes at the next requests of the server; `observe` says what is broken at the moment of a request.
    pub(super) fn set(
        s3: &EmbeddedS3,
        strikes: &[Strike],
        observe: impl Fn(&RequestSeen) -> Vec<String> + Send + Sync + 'static,
    ) -> Arc<Self> {
        let injector = Arc::new(Self {
            strikes: strikes.to_vec(),
            hit: strikes.iter().map(|_| AtomicBool::new(false)).collect(),
            met: Mutex::default(),
            expired: AtomicBool::new(false),
            pid: AtomicU32::new(0),
            kill_after: AtomicU64::new(0),
            broken: Mutex::default(),
        });
        let (before, after) = (Arc::clone(&injector), Arc::clone(&injector));
        s3.reset_requests();
        s3.on_request(move |request| {
            let found = observe(request);
            before.broken.lock().expect("a lock").extend(found);
            before.strike(request)
        });
        s3.after_request(move |request| {
            if after.kill_after.load(Ordering::SeqCst) == request.sequence {
                after.kill();
            }
        });
        injector
    }

    /// Names the program that is to be killed where a strike says so.
    pub(super) fn aim(&self, pid: u32) {
        self.pid.store(pid, Ordering::SeqCst);
    }

    /// Whether each strike has found its request.
    pub(super) fn hits(&self) -> Vec<bool> {
        self.hit.iter().map(|hit| hit.load(Ordering::SeqCst)).collect()
    }

    /// The requests, in the order in which they came.
    pub(super) fn points(&self) -> Vec<Point> {
        self.met.lock().expect("a lock").points.clone()
    }

    /// What the observer found.
    pub(super) fn broken(&self) -> Vec<String> {
        self.broken.lock().expect("a lock").clone()
    }

    fn strike(&self, request: &RequestSeen) -> Fault {
        let point = self.met.lock().expect("a lock").meet(request);
        if self.expired.load(Ordering::SeqCst) {
            return Kind::Expired.fault();
        }
        let strikes = self.strikes.iter().zip(&self.hit);
        let Some(((_, kind), hit)) = strikes.into_iter().find(|((at, _), _)| *at == point) else { return Fault::None };
        hit.store(true, Ordering::SeqCst);
        match kind {
            Kind::Expired => self.expired.store(true, Ordering::SeqCst),
            Kind::CrashBefore => self.kill(),
            Kind::CrashAfter => self.kill_after.store(request.sequence, Ordering::SeqCst),
            Kind::ErrorBefore
            | Kind::SlowDown
            | Kind::AnswerLost
            | Kind::Reset
            | Kind::TimeOut
            | Kind::ErrorInAnswer
            | Kind::EmptyAnswer
            | Kind::TruncatedAnswer
            | Kind::Twice => {}
        }
        kind.fault()
    }

    fn kill(&self) {
        let pid = || self.pid.load(Ordering::SeqCst);
        until("the program's process id is known", || pid() != 0);
        let sent = std::process::Command::new("kill").args(["-KILL", &pid().to_string()]).status();
        assert!(sent.expect("kill runs").success(), "kill -9");
    }
}

impl Met {
    fn meet(&mut self, request: &RequestSeen) -> Point {
        let bucket = request.bucket.clone().unwrap_or_default();
        let place = format!("{bucket}/{}", without_run(request.key.as_deref().unwrap_or_default()));
        let count = self.counts.entry((request.operation.clone(), place.clone())).or_default();
        *count += 1;
        let point = Point { operation: request.operation.clone(), place, nth: *count };
        self.points.push(point.clone());
        point
    }
}

/// Scratch objects are named after their run, which has another number each time.
pub(super) fn without_run(key: &str) -> String {
    if !key.starts_with(SCRATCH) {
        return key.to_owned();
    }
    let number = |part: &&str| part.bytes().all(|byte| byte.is_ascii_digit());
    key.split('-').map(|part| if number(&part) { "RUN" } else { part }).collect::<Vec<_>>().join("-")
}
