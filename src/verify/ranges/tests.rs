//! Ranges against servers with orders of their own: nothing is lost, and little is asked for twice.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::sync::Mutex;

use proptest::prelude::*;

use super::*;
use crate::config::Concurrency;
use crate::pace::{Brake, Throttles};
use crate::path::ETag;
use crate::store::{ObjectDetails, Sha256Digest, SideBySide};

const PAGE: usize = 10;
/// An answer of a server that is far away.
const FAR: Duration = Duration::from_millis(40);

/// Keys that are listed in an order of the shelf's own, ten to a page; tokens and `after` are the same to it, as to all servers
/// that were met.
struct Shelf {
    order: fn(&str, &str) -> Ordering,
    keys: Mutex<Vec<String>>,
    asked: Mutex<Asked>,
    /// Written and removed again while the listing goes on.
    comes_and_goes: Vec<String>,
    /// How long a page is said to take.
    distance: Duration,
}

#[derive(Default)]
struct Asked {
    pages: u64,
    now: usize,
    at_most: usize,
}

impl Shelf {
    fn new(order: fn(&str, &str) -> Ordering, keys: impl IntoIterator<Item = String>) -> Self {
        let mut keys: Vec<String> = keys.into_iter().collect::<BTreeSet<_>>().into_iter().collect();
        keys.sort_by(|one, other| order(one, other));
        Self { order, keys: Mutex::new(keys), asked: Mutex::default(), comes_and_goes: Vec::new(), distance: FAR }
    }

    fn page(&self, after: Option<&str>) -> ListPage {
        let keys = self.keys.lock().expect("keys");
        let from = after.map_or(0, |after| keys.partition_point(|key| (self.order)(key, after) != Ordering::Greater));
        let shown: Vec<&String> = keys.iter().skip(from).take(PAGE).collect();
        let more = from + shown.len() < keys.len();
        let next = shown.last().filter(|_| more).map(|key| PageToken((*key).clone()));
        let objects = shown.into_iter().map(|key| ObjectInfo {
            key: ObjectKey::new(key.clone()).expect("a key"),
            size: 1,
            etag: ETag::new("e"),
            modified_ms: 0,
        });
        ListPage { objects: objects.collect(), next }
    }

    /// Somebody writes and removes objects.
    fn stir(&self, nth: u64) {
        let Some(key) =
            usize::try_from(nth).ok().and_then(|nth| self.comes_and_goes.get(nth % self.comes_and_goes.len()))
        else {
            return;
        };
        let mut keys = self.keys.lock().expect("keys");
        let at = keys.partition_point(|other| (self.order)(other, key) == Ordering::Less);
        if keys.get(at) == Some(key) {
            keys.remove(at);
        } else {
            keys.insert(at, key.clone());
        }
    }
}

impl ReadObjects for Shelf {
    async fn list(&self, _: &str, after: Option<&ObjectKey>, token: Option<PageToken>) -> Result<ListPage, StoreError> {
        let nth = {
            let mut asked = self.asked.lock().expect("a count");
            (asked.pages, asked.now) = (asked.pages + 1, asked.now + 1);
            asked.at_most = asked.at_most.max(asked.now);
            asked.pages
        };
        // Answers overtake each other.
        for _ in 0..nth * 7 % 5 + 1 {
            tokio::task::yield_now().await;
        }
        if !self.comes_and_goes.is_empty() {
            self.stir(nth);
        }
        let from = token.map(|token| token.0).or_else(|| after.map(|key| key.as_str().to_owned()));
        let page = self.page(from.as_deref());
        self.asked.lock().expect("a count").now -= 1;
        Ok(page)
    }

    async fn head(&self, _: &ObjectKey) -> Result<Option<ObjectDetails>, StoreError> {
        Ok(None)
    }

    async fn sha256(&self, _: &ObjectInfo) -> Result<Option<Sha256Digest>, StoreError> {
        Ok(None)
    }

    async fn compare(&self, _: &ObjectInfo, _: &Self, _: &ObjectInfo) -> Result<SideBySide, StoreError> {
        Ok(SideBySide::Moved)
    }
}

/// What was shown: each key with its position.
#[tokio::main(flavor = "current_thread")]
async fn shown(shelf: &Shelf, concurrency: Concurrency) -> Vec<(String, u64)> {
    let pace = Pace::new(concurrency, Throttles::default(), Brake::default(), None::<NonZeroU32>);
    let mut seen = Vec::new();
    let take = |piece: Piece| {
        let at = (piece.nth..).zip(piece.objects);
        seen.extend(at.map(|(nth, object)| (piece.range, nth, object.key.as_str().to_owned())));
        anyhow::Ok(())
    };
    let starts = list_timed(shelf, "image/", &pace, take, |_| shelf.distance).await.expect("a listing");
    seen.into_iter().map(|(range, nth, key)| (key, starts[range] + nth)).collect()
}

fn bytes(one: &str, other: &str) -> Ordering {
    one.as_bytes().cmp(other.as_bytes())
}

/// As a file system is walked: `a/b` stands where `a` does, before `a b`.
fn tree(one: &str, other: &str) -> Ordering {
    one.split('/').cmp(other.split('/'))
}

fn backwards(one: &str, other: &str) -> Ordering {
    other.chars().rev().cmp(one.chars().rev())
}

/// Keys as applications make them.
fn shapes() -> BTreeMap<&'static str, Vec<String>> {
    let many = |count: u64, name: fn(u64) -> String| (0..count).map(name).collect::<Vec<String>>();
    let mixed = |n: u64| n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    BTreeMap::from([
        ("numbers", many(5000, |n| format!("image/avatar-{n}.png"))),
        ("padded", many(5000, |n| format!("image/avatar-{:013}.png", 1_700_000_000_000 + n))),
        ("hashes", (0..5000).map(|n| format!("image/{:016x}-avatar.png", mixed(n))).collect()),
        ("folders", many(5000, |n| format!("image/{}/{:02}/avatar-{n}.png", 2019 + n % 5, n % 12 + 1))),
        ("users", many(5000, |n| format!("image/u{}/avatar-{}.png", n / 3, n % 3))),
        ("other alphabets", many(5000, |n| format!("image/аватар-{n}-ä.png"))),
        ("a folder beside files", many(5000, |n| format!("image/avatar{}{n}.png", if n % 2 == 0 { "/" } else { "-" }))),
    ])
}

fn ranks(seen: &[(String, u64)]) -> (Vec<&str>, bool) {
    let mut sorted: Vec<&(String, u64)> = seen.iter().collect();
    sorted.sort();
    let in_order = sorted.iter().zip(0..).all(|((_, position), nth)| *position == nth);
    (sorted.into_iter().map(|(key, _)| key.as_str()).collect(), in_order)
}

#[test]
fn every_key_comes_once_and_knows_its_place() {
    for (name, keys) in shapes() {
        let shelf = Shelf::new(bytes, keys);
        let seen = shown(&shelf, Concurrency::Auto);
        let (found, in_order) = ranks(&seen);
        let asked = shelf.asked.into_inner().expect("a count");
        assert_eq!(found, shelf.keys.into_inner().expect("keys"), "{name}");
        assert!(in_order, "{name}");
        assert_eq!(asked.at_most, AT_ONCE, "{name}");
        // 500 pages in one chain.
        assert!(asked.pages <= 575, "{name}: {} pages", asked.pages);
    }
}

#[test]
fn pages_that_come_sooner_than_they_are_read_are_not_piled_up() {
    let at_most = |milliseconds| {
        let keys = (0..5000).map(|n| format!("image/avatar-{n}.png"));
        let shelf = Shelf { distance: Duration::from_millis(milliseconds), ..Shelf::new(bytes, keys) };
        assert_eq!(shown(&shelf, Concurrency::Auto).len(), 5000);
        shelf.asked.into_inner().expect("a count").at_most
    };
    assert_eq!([0, 1, 14, 15, 39, 40, 1000].map(at_most), [2, 2, 2, 3, 7, 8, 8]);
}

#[test]
fn a_small_bucket_and_one_request_at_once_take_one_chain() {
    for count in [0_u64, 1, 9, 10, 11, 39] {
        let shelf = Shelf::new(bytes, (0..count).map(|n| format!("image/{n}")));
        assert_eq!(shown(&shelf, Concurrency::Auto).len(), usize::try_from(count).expect("a count"));
        assert_eq!(shelf.asked.into_inner().expect("a count").pages, count.div_ceil(10).max(1));
    }
    let shelf = Shelf::new(bytes, (0..1000).map(|n| format!("image/{n}")));
    assert_eq!(shown(&shelf, Concurrency::Fixed(1)).len(), 1000);
    let asked = shelf.asked.into_inner().expect("a count");
    assert_eq!((asked.pages, asked.at_most), (100, 1));
}

#[test]
fn servers_with_an_order_of_their_own_lose_nothing() {
    for order in [tree, backwards] {
        for (name, keys) in shapes() {
            let shelf = Shelf::new(order, keys);
            let seen = shown(&shelf, Concurrency::Auto);
            let found: BTreeSet<&str> = seen.iter().map(|(key, _)| key.as_str()).collect();
            let all = shelf.keys.into_inner().expect("keys");
            assert_eq!(found, all.iter().map(String::as_str).collect(), "{name}");
            let asked = shelf.asked.into_inner().expect("a count").pages;
            assert!(asked <= 1100, "{name}: {asked} pages");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn what_stays_is_shown_while_other_keys_come_and_go(
        stays in prop::collection::btree_set("image/[ab/ é~]{0,6}[0-9]{0,3}", 0..900),
        goes in prop::collection::vec("image/[ab/ é~]{0,6}[0-9]{0,3}x", 0..60),
        order in prop::sample::select(vec![bytes as fn(&str, &str) -> Ordering, tree, backwards]),
    ) {
        let stays: BTreeSet<String> = stays;
        let shelf = Shelf { comes_and_goes: goes, ..Shelf::new(order, stays.clone()) };
        let seen: BTreeSet<String> = shown(&shelf, Concurrency::Fixed(8)).into_iter().map(|(key, _)| key).collect();
        prop_assert_eq!(stays.difference(&seen).next(), None);
    }
}
