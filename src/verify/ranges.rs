//! A listing in several ranges at once, without knowing the keys beforehand.
//!
//! It begins as one chain of pages. While one more request is of use, a range is cut: somewhere ahead of its last key
//! (`cut.rs`) a page is asked for, and what it shows is the beginning of a new range above. **A range ends where it shows what
//! the next one began with**, and the last one where the listing ends. So nothing rests on the guess: whatever order a
//! server lists in, one that goes on from a key as it goes on from a page leaves nothing out between two ranges that meet.
//!
//! A server that does not list in byte order makes poor ranges. Once a page shows that, the lowest range that is not at its end
//! goes on alone, to the end of the listing: what the others have shown comes twice, which does no harm.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use futures::StreamExt;
use futures::stream::FuturesUnordered;

use super::cut::{Letters, Span, beyond};
use crate::pace::Pace;
use crate::path::ObjectKey;
use crate::store::{ListPage, ObjectInfo, PageToken, ReadObjects, StoreError};

/// Ranges of a bucket that are listed at once, however long a page takes to come.
const AT_ONCE: usize = 8;
/// And however soon: one comes while another is taken.
const AT_ONCE_LEAST: usize = 2;
/// What it takes this program to read, sort and compare a page (measured).
const PAGE_WORK: Duration = Duration::from_millis(5);
/// Pages that are listed in one chain before the first cut, so that small buckets cost nothing more.
const PAGES_FIRST: u64 = 4;
/// For so many pages that were listed one cut may be tried.
const PAGES_A_CUT: u64 = 2;
/// Cuts that begin no range and are expected: it takes some to learn where the keys end.
const MISSES_FREE: u64 = 2;
/// So many pages more have to be listed for each further one, so that bad guesses cost little.
const PAGES_A_MISS: u64 = 8;
/// What is left of a range is cut if about so many pages are still to come: half a page more is listed for each cut.
const WORTH_PAGES: f64 = 4.0;

/// Keys that were listed together.
pub(super) struct Piece {
    /// Which range it is of.
    pub(super) range: usize,
    /// The how-manieth key of its range the first one is.
    pub(super) nth: u64,
    /// The keys in the order of the answer.
    pub(super) objects: Vec<ObjectInfo>,
}

/// Lists everything below a prefix, in no order. Gives how many keys come before each range in the order of the server, and
/// in the end how many there are.
///
/// # Errors
/// If a page cannot be read, or `take` fails.
pub(super) async fn list_all<E: From<StoreError>>(
    bucket: &impl ReadObjects,
    prefix: &str,
    pace: &Pace,
    take: impl FnMut(Piece) -> Result<(), E>,
) -> Result<Vec<u64>, E> {
    list_timed(bucket, prefix, pace, take, |begun| begun.elapsed()).await
}

/// The same; `taken` tells how long a page took that was begun then.
async fn list_timed<E: From<StoreError>>(
    bucket: &impl ReadObjects,
    prefix: &str,
    pace: &Pace,
    mut take: impl FnMut(Piece) -> Result<(), E>,
    taken: impl Fn(Instant) -> Duration,
) -> Result<Vec<u64>, E> {
    let ask = async |page: Page| {
        let turn = pace.turn().await;
        let begun = Instant::now();
        let answer = bucket.list(prefix, page.after.as_ref(), page.token.clone()).await;
        if answer.is_ok() {
            turn.went_well();
        }
        (page, answer, taken(begun))
    };
    let (mut ranges, mut soonest) = (Ranges::below(prefix), Duration::MAX);
    let mut asked = FuturesUnordered::from_iter([ask(Page { range: 0, token: None, after: None })]);
    while let Some((page, answer, took)) = asked.next().await {
        let answer = answer?;
        soonest = soonest.min(took);
        let range = match page.after {
            Some(after) => ranges.cut_at(page.range, &after, &answer),
            None => Some(page.range),
        };
        if let Some(range) = range {
            let (piece, token) = ranges.take(range, answer);
            take(piece)?;
            asked.extend(token.map(|token| ask(Page { range, token: Some(token), after: None })));
        }
        while asked.len() < of_use(soonest).min(pace.most())
            && let Some(page) = ranges.next_cut()
        {
            asked.push(ask(page));
        }
    }
    Ok(ranges.starts())
}

/// How many pages to ask for at once where the soonest took so long: as many as come in the time that they take to be worked
/// on (Little's law). More would only fill the memory.
fn of_use(soonest: Duration) -> usize {
    let times = soonest.as_nanos() / PAGE_WORK.as_nanos();
    usize::try_from(times).unwrap_or(AT_ONCE).clamp(AT_ONCE_LEAST, AT_ONCE)
}

/// A page to ask for.
struct Page {
    /// Of this range, or where `after` is told ahead of it.
    range: usize,
    token: Option<PageToken>,
    after: Option<ObjectKey>,
}

struct Ranges {
    letters: Letters,
    /// The first one begins with the listing; others follow as they were made.
    all: Vec<Range>,
    pages: u64,
    cuts: u64,
    /// Those of the cuts that began no range.
    missed: u64,
    /// Whether all pages were in byte order.
    in_order: bool,
}

#[derive(Default)]
struct Range {
    /// The range above it.
    next: Option<usize>,
    /// What its first page showed, until the range below has met it.
    begin: HashSet<ObjectKey>,
    first: Option<ObjectKey>,
    last: Option<ObjectKey>,
    /// Where cuts are of use no more. Nothing ends here.
    ceiling: Option<ObjectKey>,
    pages: u32,
    keys: u64,
    /// Whether it is at its end, or was given up.
    done: bool,
    /// Whether a page ahead of it was asked for.
    being_cut: bool,
}

impl Ranges {
    fn below(prefix: &str) -> Self {
        Self {
            letters: Letters::below(prefix),
            all: vec![Range::default()],
            pages: 0,
            cuts: 0,
            missed: 0,
            in_order: true,
        }
    }

    /// Takes a page of a range: what is new of it, and where it goes on.
    fn take(&mut self, at: usize, page: ListPage) -> (Piece, Option<PageToken>) {
        self.pages += 1;
        let last = self.all.get(at).and_then(|range| range.last.as_ref());
        if self.in_order && !is_ascending(last, &page.objects) {
            self.go_on_alone();
        }
        let next = self.all.get(at).and_then(|range| range.next);
        let met = next
            .and_then(|next| self.all.get(next))
            .and_then(|next| page.objects.iter().position(|object| next.begin.contains(&object.key)));
        let mut objects = page.objects;
        objects.truncate(met.unwrap_or(objects.len()));
        for object in &objects {
            self.letters.note(&object.key);
        }
        if let Some(next) = next.filter(|_| met.is_some()).and_then(|next| self.all.get_mut(next)) {
            next.begin = HashSet::new();
        }
        let Some(range) = self.all.get_mut(at).filter(|range| !range.done) else {
            return (Piece { range: at, nth: 0, objects: Vec::new() }, None);
        };
        let piece = Piece { range: at, nth: range.keys, objects };
        range.pages += 1;
        range.keys += piece.objects.len() as u64;
        if range.first.is_none() {
            range.first = piece.objects.first().map(|object| object.key.clone());
        }
        if let Some(object) = piece.objects.last() {
            range.last = Some(object.key.clone());
        }
        let token = page.next.filter(|_| met.is_none());
        range.done = token.is_none();
        (piece, token)
    }

    /// A page ahead of a range has come: the new range that it begins, if it does.
    fn cut_at(&mut self, at: usize, after: &ObjectKey, page: &ListPage) -> Option<usize> {
        let made = self.all.len();
        let starts_late = page.objects.first().is_none_or(|object| object.key > *after);
        if self.in_order && !starts_late {
            self.go_on_alone();
        }
        let next = self.all.get(at).and_then(|range| range.next).and_then(|next| self.all.get(next));
        let begins = page.objects.first().map(|object| object.key.clone());
        let shown = begins.as_ref().is_some_and(|key| next.is_some_and(|next| next.begin.contains(key)));
        self.missed += 1;
        let range = self.all.get_mut(at)?;
        range.being_cut = false;
        if range.done || begins.as_ref().is_some_and(|key| range.last.as_ref() >= Some(key)) {
            // It has come that far by itself.
            return None;
        }
        let ceiling = range.ceiling.replace(after.clone());
        if begins.is_none() || shown {
            return None;
        }
        let begin = page.objects.iter().map(|object| object.key.clone()).collect();
        let new = Range { next: range.next.replace(made), begin, ceiling, ..Range::default() };
        self.all.push(new);
        self.missed -= 1;
        Some(made)
    }

    /// The lowest range that is not at its end lists all that follows; the others are given up.
    fn go_on_alone(&mut self) {
        self.in_order = false;
        let mut at = Some(0);
        while let Some(range) = at.and_then(|at| self.all.get(at)).filter(|range| range.done) {
            at = range.next;
        }
        for (nth, range) in self.all.iter_mut().enumerate() {
            range.done |= at != Some(nth);
        }
        if let Some(range) = at.and_then(|at| self.all.get_mut(at)) {
            range.next = None;
        }
    }

    /// Where a page ahead is worth a request: in the range of which most is to come.
    fn next_cut(&mut self) -> Option<Page> {
        let misses = self.missed.saturating_sub(MISSES_FREE);
        if !self.in_order || self.pages < PAGES_FIRST + self.cuts * PAGES_A_CUT + misses * PAGES_A_MISS {
            return None;
        }
        let start = self.all.first()?.first.clone()?;
        let open = self.all.iter().enumerate().filter(|(_, range)| !range.done && !range.being_cut);
        let worth = open.filter_map(|(at, range)| {
            let (first, last) = (range.first.as_ref()?, range.last.as_ref()?);
            let Some(ceiling) = &range.ceiling else {
                return Some((f64::MAX, at, beyond(start.as_str(), last.as_str())?));
            };
            let span = Span { first: first.as_str(), last: last.as_str(), ceiling: ceiling.as_str() };
            let pages = self.letters.still_to_come(span) * f64::from(range.pages);
            (pages >= WORTH_PAGES).then_some(())?;
            Some((pages, at, self.letters.middle(span)?))
        });
        let (_, at, after) = worth.max_by(|(one, ..), (other, ..)| one.total_cmp(other))?;
        self.cuts += 1;
        self.all.get_mut(at)?.being_cut = true;
        Some(Page { range: at, token: None, after: Some(after) })
    }

    /// How many keys come before each range; at the end, how many there are.
    fn starts(&self) -> Vec<u64> {
        let mut starts = vec![0; self.all.len() + 1];
        let (mut at, mut keys) = (Some(0), 0);
        while let Some((index, range)) = at.and_then(|at| Some((at, self.all.get(at)?))) {
            if let Some(start) = starts.get_mut(index) {
                *start = keys;
            }
            keys += range.keys;
            at = range.next;
        }
        if let Some(end) = starts.last_mut() {
            *end = keys;
        }
        starts
    }
}

fn is_ascending(last: Option<&ObjectKey>, objects: &[ObjectInfo]) -> bool {
    let keys = last.into_iter().chain(objects.iter().map(|object| &object.key));
    keys.is_sorted_by(|one, next| one < next)
}

#[cfg(test)]
mod tests;
