//! Workers that share the copies of a thousand million objects, as events: ranges, leases, deaths, the pace of S3's
//! partitions, and a database that answers one after the other. No clock and no network: the same seed gives the same run.
//!
//! What is left out: ranges differ in size, S3 divides partitions while it is asked (here they stand still), networks have
//! bad minutes. What a window takes of the database is a single queue, as if it had one core.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use avatar_migrate_kit::effort::Lot;

/// Objects of a window: recorded together, so that a death loses no more than those that are under way.
const WINDOW: u64 = 1000;
/// S3 takes so many COPY requests a second of each partition (AWS: "Best practices design patterns: optimizing Amazon S3 performance").
pub(crate) const COPIES_A_PARTITION: f64 = 3500.0;
/// A worker tells that it lives so many times a lease.
const BEATS_A_LEASE: f64 = 3.0;

/// In which order ranges are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// As their keys are: all workers are in the same corner of the bucket.
    ByKey,
    /// Spread: neighbours in time are far apart in the bucket.
    Spread,
}

/// What is simulated.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scenario {
    pub(crate) workers: usize,
    pub(crate) objects: u64,
    pub(crate) range: u64,
    /// Partitions of the bucket, each an equal part of its keys.
    pub(crate) partitions: usize,
    pub(crate) order: Order,
    /// Seconds.
    pub(crate) lease: f64,
    /// Copies that a worker makes a second where nothing holds it up.
    pub(crate) pace: f64,
    /// Seconds of the database that a window takes, and that a claim or a sign of life does.
    pub(crate) window_cost: f64,
    pub(crate) claim_cost: f64,
    /// Seconds that a worker lives, on the average, and until another one is started in its place.
    pub(crate) life: f64,
    pub(crate) restart: f64,
    pub(crate) seed: u64,
}

/// What came out.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Outcome {
    /// Seconds.
    pub(crate) time: f64,
    pub(crate) copies: u64,
    pub(crate) deaths: u64,
    /// Copies beyond one an object.
    pub(crate) twice: u64,
    /// The longest that a range lay without a worker until its lease had lapsed, and until it was taken, in seconds.
    pub(crate) lapsed: f64,
    pub(crate) taken: f64,
    /// Of 1, how long the database was busy.
    pub(crate) database: f64,
}

/// What is left of a range.
#[derive(Clone, Copy)]
struct Range {
    nth: u64,
    left: u64,
    /// When its worker died, if it had one.
    abandoned: Option<f64>,
    /// When its lease has lapsed.
    open_at: f64,
}

#[derive(Clone, Copy)]
struct Worker {
    range: Option<Range>,
    /// Since when it copies a window, and until when; nothing while it claims or writes.
    copying: Option<(f64, f64)>,
    dies_at: f64,
}

struct Simulation {
    scenario: Scenario,
    lot: Lot,
    workers: Vec<Worker>,
    /// Ranges that were never taken: the n-th in order.
    next: u64,
    ranges: u64,
    abandoned: VecDeque<Range>,
    /// When each partition, and the database, has done what it was asked for.
    partitions: Vec<f64>,
    database: f64,
    busy: f64,
    unfinished: u64,
    outcome: Outcome,
}

/// Runs it.
pub(crate) fn simulate(scenario: Scenario) -> Outcome {
    let mut simulation = Simulation::new(scenario);
    let mut events: BinaryHeap<Reverse<(Time, usize)>> = BinaryHeap::new();
    for worker in 0..scenario.workers {
        events.push(Reverse((Time(0.0), worker)));
    }
    while simulation.unfinished > 0 {
        let Some(Reverse((Time(now), worker))) = events.pop() else { break };
        let next = simulation.step(now, worker);
        events.push(Reverse((Time(next), worker)));
    }
    simulation.outcome.database = simulation.busy / simulation.outcome.time.max(f64::MIN_POSITIVE);
    simulation.outcome
}

impl Simulation {
    fn new(scenario: Scenario) -> Self {
        let ranges = scenario.objects.div_ceil(scenario.range);
        let mut simulation = Self {
            scenario,
            lot: Lot::from_seed(scenario.seed),
            workers: Vec::new(),
            next: 0,
            ranges,
            abandoned: VecDeque::new(),
            partitions: vec![0.0; scenario.partitions],
            database: 0.0,
            busy: 0.0,
            unfinished: ranges,
            outcome: Outcome::default(),
        };
        for _ in 0..scenario.workers {
            let dies_at = simulation.lifetime();
            simulation.workers.push(Worker { range: None, copying: None, dies_at });
        }
        simulation
    }

    /// What a worker was at has come to its end: it begins the next thing. Gives when that ends, or the worker.
    fn step(&mut self, now: f64, nth: usize) -> f64 {
        let Some(worker) = self.workers.get(nth).copied() else { return f64::MAX };
        if now >= worker.dies_at {
            self.died(worker);
            return self.restarted(now, nth);
        }
        let (next, at) = match (worker.range, worker.copying) {
            // Where all is taken it looks again, as those who took it may die.
            (None, _) => self.claimed(now).map_or((worker, now + self.scenario.lease / BEATS_A_LEASE), |range| {
                (Worker { range: Some(range), ..worker }, self.asked(now, self.scenario.claim_cost))
            }),
            (Some(range), None) => {
                let done = self.copied(now, range, range.left.min(WINDOW));
                (Worker { copying: Some((now, done)), ..worker }, done)
            }
            (Some(range), Some(_)) => (self.written(range, worker), self.asked(now, self.scenario.window_cost)),
        };
        self.outcome.time = self.outcome.time.max(now);
        self.set(nth, next);
        at.min(worker.dies_at)
    }

    /// A window is copied, and written down.
    fn written(&mut self, range: Range, worker: Worker) -> Worker {
        let copies = range.left.min(WINDOW);
        self.outcome.copies += copies;
        let left = range.left - copies;
        self.unfinished -= u64::from(left == 0);
        Worker { range: (left > 0).then_some(Range { left, ..range }), copying: None, ..worker }
    }

    /// Takes what a dead worker has left, or else the next range.
    fn claimed(&mut self, now: f64) -> Option<Range> {
        if let Some(at) = self.abandoned.iter().position(|range| range.open_at <= now) {
            let range = self.abandoned.remove(at)?;
            let waited = now - range.abandoned.unwrap_or(now);
            self.outcome.taken = self.outcome.taken.max(waited);
            return Some(Range { abandoned: None, ..range });
        }
        let nth = (self.next < self.ranges).then_some(self.next)?;
        self.next += 1;
        let left = self.scenario.range.min(self.scenario.objects - nth * self.scenario.range);
        Some(Range { nth, left, abandoned: None, open_at: 0.0 })
    }

    /// Copies made from a moment on: as fast as the worker is, and no faster than the partition takes them.
    fn copied(&mut self, begun: f64, range: Range, copies: u64) -> f64 {
        let alone = begun + float(copies) / self.scenario.pace;
        let share = float(self.place_of(range.nth)) / float(self.ranges);
        let count = float(u64::try_from(self.partitions.len()).unwrap_or(u64::MAX));
        let index = usize::try_from(whole((share * count).floor())).unwrap_or(usize::MAX);
        let Some(partition) = self.partitions.get_mut(index) else { return alone };
        *partition = partition.max(begun) + float(copies) / COPIES_A_PARTITION;
        partition.max(alone)
    }

    /// Where in the bucket the n-th range to be taken is.
    fn place_of(&self, nth: u64) -> u64 {
        match self.scenario.order {
            Order::ByKey => nth,
            Order::Spread => {
                // Column by column of a table with as many rows as there are workers, nearly.
                let rows = u64::try_from(self.scenario.workers.max(1)).unwrap_or(1);
                let columns = self.ranges.div_ceil(rows);
                (nth % rows * columns + nth / rows).min(self.ranges - 1)
            }
        }
    }

    /// The database does something, after all that it was asked before.
    fn asked(&mut self, now: f64, cost: f64) -> f64 {
        self.busy += cost;
        self.database = self.database.max(now) + cost;
        self.database
    }

    fn died(&mut self, worker: Worker) {
        let Some(range) = worker.range else { return };
        let now = worker.dies_at;
        self.outcome.deaths += 1;
        if let Some((begun, done)) = worker.copying {
            // What it copied of the window is there, but nobody wrote it down.
            let share = ((now - begun) / (done - begun)).clamp(0.0, 1.0);
            let twice = whole(float(range.left.min(WINDOW)) * share);
            self.outcome.twice += twice;
            self.outcome.copies += twice;
        }
        // Its last sign of life may be fresh or about to be renewed.
        let since = self.share() * self.scenario.lease / BEATS_A_LEASE;
        let open_at = now + self.scenario.lease - since;
        self.outcome.lapsed = self.outcome.lapsed.max(open_at - now);
        self.abandoned.push_back(Range { abandoned: Some(now), open_at, ..range });
    }

    /// Another worker in the place of a dead one.
    fn restarted(&mut self, now: f64, nth: usize) -> f64 {
        let begins = now + self.scenario.restart;
        let dies_at = begins + self.lifetime();
        self.set(nth, Worker { range: None, copying: None, dies_at });
        begins
    }

    fn set(&mut self, nth: usize, worker: Worker) {
        if let Some(place) = self.workers.get_mut(nth) {
            *place = worker;
        }
    }

    /// Drawn so that a worker is as likely to die in any minute as in any other.
    fn lifetime(&mut self) -> f64 {
        -(1.0 - self.share()).ln() * self.scenario.life
    }

    fn share(&mut self) -> f64 {
        float(self.lot.below(1 << 30)) / float(1 << 30)
    }
}

/// Seconds, in order.
#[derive(Clone, Copy, PartialEq)]
struct Time(f64);

impl Eq for Time {}

impl PartialOrd for Time {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Time {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

fn float(count: u64) -> f64 {
    count as f64
}

fn whole(number: f64) -> u64 {
    format!("{:.0}", number.max(0.0)).parse().unwrap_or_default()
}
