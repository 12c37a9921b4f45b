//! What a real `copy` would take. Facts come in as a dry run finds them, counts go out; nothing is asked here.
//!
//! The requests are counted by going through the same windows as `copy` does, with the positions of the keys in the listings
//! that the dry run made anyway. Memory holds one window, however many objects there are.
//!
//! What is assumed: the server enforces conditions and gives a SHA-256 of copies, as AWS does; ETags of objects in one part
//! are equal after a copy, as they are without KMS; nobody writes meanwhile, and no request has to be repeated.

mod costs;
mod database;
mod looks;

use std::time::Duration;

pub use costs::Way;
pub use database::{MovingRows, NamedObjects, weigh};

use crate::config::{CheckMode, Method, Prices};
use crate::copy::WINDOW;
use crate::finding::Proof;
use crate::report::summary::{DatabaseForecast, Forecast, Requests};
use crate::verify::Listed;
use costs::Cost;
use database::ROWS_A_SECOND;
use looks::{Look, Standing};

/// Requests a second that a single client reaches against one server nearby: 1,300 copies with 2 cores, shared with the
/// server; AWS takes 3,500 writes a second for each partition of a bucket.
const REQUESTS_A_SECOND_MAX: f64 = 1300.0;
/// Of what passes through this machine: one gigabit a second.
const BYTES_A_SECOND: f64 = 125e6;

/// What becomes of a planned object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is copied.
    Copied,
    /// Its twin is there, proved so.
    AlreadyThere(Proof),
    /// Our own copy is there, and the source has changed since.
    Replaced,
    /// The target holds other bytes.
    Conflict,
    /// The source is gone; whether or not the ledger proves that it was copied.
    SourceGone {
        /// Whether the ledger proves it.
        recorded: bool,
    },
}

/// An object that rows name by legacy paths.
#[derive(Clone, Copy, Debug)]
pub struct Planned {
    /// What becomes of it.
    pub fate: Fate,
    /// Its size in bytes.
    pub size: u64,
    /// Whether the source's ETag is one of an object in one part.
    pub single: bool,
    /// Whether a row of it cannot move, so that the next pass plans it again.
    pub stuck: bool,
}

/// What is known before the first object.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// How objects are copied and checked.
    pub way: Way,
    /// At most so many objects are moved.
    pub limit: Option<u64>,
    /// How many pairs of key prefixes there are.
    pub key_mappings: u64,
    /// Whether a target could be a source, were both buckets one.
    pub shared_place: bool,
}

/// What is known after the last object.
#[derive(Clone, Copy, Debug, Default)]
pub struct Known {
    /// Legacy rows that move.
    pub moving: u64,
    /// Legacy rows that stay.
    pub staying: u64,
    /// Of 1, how many objects have a stored checksum that proves equal content where ETags do not: of those that are copied
    /// whole, and of those in parts.
    pub with_checksum: [f64; 2],
    /// Of 1, how many objects have tags.
    pub with_tags: f64,
    /// What the dry run itself asked for.
    pub looking: Requests,
    /// How long the dry run took.
    pub looked: Duration,
    /// How long a request takes.
    pub latency: Duration,
    /// How many run at once.
    pub at_once: usize,
}

#[derive(Clone, Copy)]
struct Item {
    planned: Planned,
    source: Standing,
    target: Standing,
    /// Where the target stands once the copies are made.
    settled: Standing,
}

/// Objects of the windows that are not full yet.
#[derive(Default)]
struct Windows {
    planned: Vec<Item>,
    verified: Vec<Item>,
    stuck: Vec<Item>,
}

/// Takes objects in ascending order and forecasts what their copy takes.
pub struct Forecaster {
    terms: Terms,
    source: Standing,
    target: Standing,
    taken: u64,
    copies: u64,
    bytes: u64,
    windows: Windows,
    /// The first pass, but for its third look.
    first: Cost,
    third: Cost,
    /// What a second pass repeats of rows that cannot move, but for its third look.
    second: Cost,
}

impl Forecaster {
    /// Begins.
    #[must_use]
    pub fn new(terms: Terms) -> Self {
        Self {
            terms,
            source: Standing::default(),
            target: Standing::default(),
            taken: 0,
            copies: 0,
            bytes: 0,
            windows: Windows::default(),
            first: Cost::default(),
            third: Cost::default(),
            second: Cost::default(),
        }
    }

    /// The next place, whether or not its object is planned.
    pub fn place(&mut self, listed: Listed) {
        let standing =
            |before: Standing, nth: Option<u64>| Standing { upto: nth.unwrap_or(before.upto), there: nth.is_some() };
        self.source = standing(self.source, listed.source);
        self.target = standing(self.target, listed.target);
    }

    /// The planned object of the last place. Those beyond the limit do not count.
    pub fn object(&mut self, planned: Planned) {
        if self.is_full() {
            return;
        }
        self.taken += 1;
        let (new, again) = (planned.fate == Fate::Copied, planned.fate == Fate::Replaced);
        self.copies += u64::from(new);
        self.bytes += if new || again { planned.size } else { 0 };
        let settled = Standing { upto: self.target.upto + self.copies, there: self.target.there || new };
        let item = Item { planned, source: self.source, target: self.target, settled };
        self.windows.planned.push(item);
        let verified = match planned.fate {
            Fate::Copied | Fate::AlreadyThere(_) | Fate::Replaced | Fate::SourceGone { recorded: true } => true,
            Fate::Conflict | Fate::SourceGone { recorded: false } => false,
        };
        if verified {
            self.windows.verified.push(item);
        }
        if verified && planned.stuck {
            self.windows.stuck.push(item);
        }
        self.close(WINDOW);
    }

    /// Closes the windows that hold so many objects.
    fn close(&mut self, size: usize) {
        let full = |window: &mut Vec<Item>| if window.len() >= size { std::mem::take(window) } else { Vec::new() };
        let (planned, verified) = (full(&mut self.windows.planned), full(&mut self.windows.verified));
        let stuck = full(&mut self.windows.stuck);
        let way = self.terms.way;
        self.first += copied(way, &planned);
        self.first += second_look(&verified);
        self.third += looked(&verified, |item| item.source);
        self.second += found_again(way, &stuck);
    }

    /// Whether no more objects are taken.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.terms.limit.is_some_and(|limit| self.taken >= limit)
    }

    /// The forecast at these prices, with what the database was weighed to take.
    #[must_use]
    pub fn finish(mut self, known: &Known, prices: Prices, database: DatabaseForecast) -> Forecast {
        self.close(1);
        let by_type = self.requests(known);
        let bytes = self.bytes;
        Forecast {
            requests: by_type.total(),
            bytes,
            elapsed: self.elapsed(known, by_type),
            cost_usd: cost(prices, by_type, bytes),
            by_type,
            database,
            prices: described(prices),
        }
    }

    fn requests(&self, known: &Known) -> Requests {
        let Terms { way, limit, key_mappings, shared_place } = self.terms;
        // Both buckets are listed once in each place before any work, to see that they can be reached.
        let mut all = Cost::lists(key_mappings * 2);
        if known.moving + known.staying > 0 {
            all.sure += way.canaries(shared_place);
            for cost in [self.first, self.third] {
                all += cost;
            }
        }
        // What stays is looked for once more after what has moved.
        if known.moving > 0 && known.staying > 0 && limit.is_none() {
            all += self.second;
            all += self.third;
        }
        if way.method == Method::Sync {
            // This program compares first; then the CLI lists both buckets too.
            all.sure += known.looking;
            all += Cost::lists(known.looking.list);
        }
        let unproved = all.without_checksum.iter().zip(known.with_checksum);
        let get = unproved.map(|(gets, with)| of(*gets, 1.0 - with)).sum::<u64>() + of(all.with_tags, known.with_tags);
        all.sure + Requests { get, ..Requests::default() }
    }

    /// Rough: as if requests ran evenly and only the server's answers took time.
    fn elapsed(&self, known: &Known, requests: Requests) -> Duration {
        let at_once = f64::from(u32::try_from(known.at_once).unwrap_or(u32::MAX));
        let latency = known.latency.as_secs_f64().max(1e-6);
        let rate = (at_once / latency).min(REQUESTS_A_SECOND_MAX);
        let many = float(requests.total() - requests.list) / rate + float(requests.list) * latency;
        let reads = match (self.terms.way.check, self.terms.way.method) {
            (CheckMode::Sha256, _) => 2.0,
            (CheckMode::Auto, Method::Stream) => 1.0,
            (CheckMode::Auto, Method::Copy | Method::Sync) => 0.0,
        };
        let bytes = float(self.bytes) * reads / BYTES_A_SECOND;
        known.looked + Duration::from_secs_f64(many.max(bytes) + float(known.moving) / ROWS_A_SECOND)
    }
}

/// The first pass of a window: both buckets are looked at, copies made and looked for, twins compared.
fn copied(way: Way, window: &[Item]) -> Cost {
    let look = |standing: fn(&Item) -> Standing| Look::at(&window.iter().map(standing).collect::<Vec<_>>());
    let (sources, targets) = (look(|item| item.source), look(|item| item.target));
    let direct = |item: &Item| item.planned.fate == Fate::Copied;
    // Where every byte is read, that shows the copies.
    let read = way.check.reads_all();
    let fresh: Vec<Standing> = window.iter().filter(|item| !read && direct(item)).map(|item| item.settled).collect();
    let confirmed = Look::at(&fresh);
    let mut cost = Cost::lists(sources.pages + targets.pages + confirmed.pages);
    for item in window {
        let Planned { fate, size, single, .. } = item.planned;
        let (source, target) = (sources.shows(item.source), targets.shows(item.target));
        // What no listing shows is copied on the word of a HEAD, if that finds a source.
        cost += Cost::heads(u64::from(!source && !target));
        cost += match (source, target, fate) {
            (_, _, Fate::SourceGone { .. }) | (false, true, _) => Cost::heads(2),
            (true, true, _) | (_, false, Fate::Copied) => Cost::default(),
            // A copy is tried, refused, and both sides looked at.
            (_, false, Fate::AlreadyThere(_) | Fate::Replaced | Fate::Conflict) => {
                let mut refused = way.copy(size, single);
                refused += Cost::heads(2);
                refused
            }
        };
        cost += match fate {
            Fate::Copied | Fate::Replaced => {
                let shown = read || direct(item) && confirmed.shows(item.settled);
                let mut copy = way.copy(size, single);
                copy += Cost::heads(u64::from(!shown));
                copy += way.check_copy(size, single);
                copy
            }
            Fate::AlreadyThere(proof) => way.check_twins(Some(proof)),
            Fate::Conflict => way.check_twins(None),
            Fate::SourceGone { .. } => Cost::default(),
        };
        if fate == Fate::Replaced {
            cost += way.check_twins(None);
        }
    }
    cost
}

/// One bucket is listed, and what the listing does not show looked at by HEAD.
fn looked(window: &[Item], standing: impl Fn(&Item) -> Standing) -> Cost {
    let standings: Vec<Standing> = window.iter().map(standing).collect();
    let look = Look::at(&standings);
    let unseen = standings.iter().filter(|standing| !look.shows(**standing)).count();
    let mut cost = Cost::heads(u64::try_from(unseen).unwrap_or(u64::MAX));
    cost += Cost::lists(look.pages);
    cost
}

/// Before the rows move: sources and copies.
fn second_look(window: &[Item]) -> Cost {
    let mut cost = looked(window, |item| item.source);
    cost += looked(window, |item| item.settled);
    cost
}

/// A second pass over objects whose twins are there by now.
fn found_again(way: Way, window: &[Item]) -> Cost {
    let there = window.iter().map(|item| {
        let doubtful = way.is_doubtful(item.planned.size, item.planned.single);
        let fate = match item.planned.fate {
            fate @ (Fate::AlreadyThere(_) | Fate::SourceGone { .. } | Fate::Conflict) => fate,
            Fate::Copied | Fate::Replaced => Fate::AlreadyThere(if doubtful { Proof::Checksum } else { Proof::ETag }),
        };
        Item { planned: Planned { fate, ..item.planned }, target: item.settled, ..*item }
    });
    let there: Vec<Item> = there.collect();
    let mut cost = copied(way, &there);
    cost += second_look(&there);
    cost
}

fn cost(prices: Prices, requests: Requests, bytes: u64) -> f64 {
    let Requests { list, head, get, put, copy, delete: _ } = requests;
    let thousands = |requests: u64| float(requests) / 1000.0;
    thousands(list + put + copy) * prices.copy
        + thousands(head + get) * prices.read
        + float(bytes) / 1e9 * prices.transfer
}

/// Where the prices are from, and what they are.
fn described(prices: Prices) -> String {
    let of = if prices == Prices::LISTED { Prices::LISTED_OF } else { "as given" };
    let Prices { copy, read, transfer } = prices;
    let moved = if transfer > 0.0 { format!(", ${transfer} a GB moved") } else { String::new() };
    format!("{of}: ${copy} for 1,000 PUT, COPY or LIST, ${read} for 1,000 GET or HEAD{moved}")
}

#[expect(clippy::cast_precision_loss, reason = "an estimate")]
fn float(count: u64) -> f64 {
    count as f64
}

/// A share of a count, rounded.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most the count")]
fn of(count: u64, share: f64) -> u64 {
    (float(count) * share.clamp(0.0, 1.0)).round() as u64
}

#[cfg(test)]
mod tests;
