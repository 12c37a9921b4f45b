//! Whole forecasts of plans that can be counted by hand.

use super::*;
use crate::config::CheckMode;
use crate::report::summary::DatabaseForecast;
use crate::store::PartSizes;

const SMALL: Planned = Planned { fate: Fate::Copied, size: 1_000, single: true, stuck: false };
const NOTHING: Requests = Requests { list: 0, head: 0, get: 0, put: 0, copy: 0, delete: 0 };
/// The buckets are probed, and the canary for copies is tried.
const BEFORE: Requests = Requests { list: 3, head: 3, get: 0, put: 4, copy: 3, delete: 4 };

fn terms(method: Method, check: CheckMode) -> Terms {
    let way = Way { method, check, sizes: PartSizes { threshold: 1 << 20, part_size: 1 << 20 } };
    Terms { way, limit: None, key_mappings: 1, shared_place: false }
}

fn known(moving: u64, staying: u64) -> Known {
    Known { moving, staying, with_checksum: [1.0; 2], at_once: 100, ..Known::default() }
}

/// Objects that are each the `step`-th key of the legacy bucket; the production bucket is empty.
fn forecaster(terms: Terms, objects: impl IntoIterator<Item = Planned>, step: u64) -> Forecaster {
    let mut forecaster = Forecaster::new(terms);
    for (planned, nth) in objects.into_iter().zip(0..) {
        let there = planned.fate == Fate::Conflict || matches!(planned.fate, Fate::AlreadyThere(_));
        let gone = matches!(planned.fate, Fate::SourceGone { .. });
        forecaster.place(Listed { source: (!gone).then_some(1 + nth * step), target: there.then_some(1 + nth * step) });
        forecaster.object(planned);
    }
    forecaster
}

fn by_type(terms: Terms, objects: impl IntoIterator<Item = Planned>, step: u64, known: Known) -> Requests {
    let forecast = forecaster(terms, objects, step).finish(&known, Prices::LISTED, DatabaseForecast::default());
    assert_eq!(forecast.requests, forecast.by_type.total());
    forecast.by_type
}

const AUTO: CheckMode = CheckMode::Auto;

#[test]
fn dense_windows_take_six_pages_each() {
    let requests = by_type(terms(Method::Copy, AUTO), std::iter::repeat_n(SMALL, 2500), 1, known(2500, 0));
    assert_eq!(requests, BEFORE + Requests { list: 3 * 6, copy: 2500, ..NOTHING });
}

#[test]
fn a_sparse_window_is_looked_at_by_head() {
    let requests = by_type(terms(Method::Copy, AUTO), std::iter::repeat_n(SMALL, 10), 5000, known(10, 0));
    // Two pages show the first source; the other nine are looked at, and one page shows the copies of all.
    let first = Requests { list: 2 + 1 + 1, head: 9, copy: 10, ..NOTHING };
    let before_cutover = Requests { list: 2 + 1, head: 9, ..NOTHING };
    let after_cutover = Requests { list: 2, head: 9, ..NOTHING };
    assert_eq!(requests, BEFORE + first + before_cutover + after_cutover);
}

#[test]
fn copies_among_many_modern_objects_are_looked_for_where_they_stand() {
    let mut forecaster = Forecaster::new(terms(Method::Copy, AUTO));
    for nth in 0..3 {
        // Four thousand modern objects that no legacy row names stand between each two.
        forecaster.place(Listed { source: None, target: Some(1 + nth * 4000) });
        forecaster.place(Listed { source: Some(1 + nth), target: None });
        forecaster.object(SMALL);
    }
    let requests = forecaster.finish(&known(3, 0), Prices::LISTED, DatabaseForecast::default()).by_type;
    let first = Requests { list: 1 + 1 + 2, head: 2, copy: 3, ..NOTHING };
    let looks = Requests { list: 1 + 2 + 1, head: 2, ..NOTHING };
    assert_eq!(requests, BEFORE + first + looks);
}

#[test]
fn parts_and_what_proves_them() {
    let big = Planned { size: (5 << 20) + 1, ..SMALL };
    let old = Planned { single: false, ..SMALL };
    let looks = Requests { list: 6, ..NOTHING };
    let with = |share: f64| Known { with_checksum: [share; 2], ..known(1, 0) };
    let cases = [
        (Method::Copy, big, Requests { list: 1, head: 3, get: 1, put: 2, copy: 6, ..NOTHING }, 2),
        (Method::Copy, old, Requests { head: 3, copy: 1, ..NOTHING }, 1),
        (Method::Stream, big, Requests { list: 1, head: 2, get: 7, put: 8, ..NOTHING }, 1),
        (Method::Stream, old, Requests { head: 2, get: 1, put: 1, ..NOTHING }, 1),
    ];
    for (method, object, copy, reads) in cases {
        let before = match method {
            Method::Stream => Requests { list: 3, head: 4, get: 3, put: 6, copy: 0, delete: 4 },
            Method::Copy | Method::Sync => BEFORE,
        };
        assert_eq!(
            by_type(terms(method, AUTO), [object], 1, with(1.0)),
            before + looks + copy,
            "{method:?} {object:?}"
        );
        let requests = by_type(terms(method, AUTO), [object], 1, with(0.0));
        assert_eq!(requests, before + looks + copy + Requests { get: reads, ..NOTHING }, "{method:?} {object:?}");
    }
    let read = by_type(terms(Method::Copy, CheckMode::Sha256), [SMALL], 1, with(0.0));
    let looks = Requests { list: 5, ..NOTHING };
    assert_eq!(read, BEFORE + looks + Requests { copy: 1, get: 2, ..NOTHING });
}

#[test]
fn tags_of_streamed_objects_are_asked_for() {
    let known = Known { with_tags: 0.5, ..known(8, 0) };
    let requests = by_type(terms(Method::Stream, AUTO), std::iter::repeat_n(SMALL, 8), 1, known);
    assert_eq!((requests.get, requests.put, requests.copy), (3 + 8 + 4, 6 + 8, 0));
}

#[test]
fn what_cannot_move_is_met_in_a_second_pass() {
    let gone = Planned { fate: Fate::SourceGone { recorded: false }, ..SMALL };
    let stuck = Planned { stuck: true, ..SMALL };
    let first = Requests { list: 6, head: 3, copy: 2, ..NOTHING };
    // The stuck object is there by then: both buckets, nothing to confirm, both again, and the third look at all.
    let second = Requests { list: 2 + 2 + 1, ..NOTHING };
    let objects = [SMALL, stuck, gone];
    assert_eq!(by_type(terms(Method::Copy, AUTO), objects, 1, known(1, 2)), BEFORE + first + second);
    let limited = Terms { limit: Some(3), ..terms(Method::Copy, AUTO) };
    assert_eq!(by_type(limited, objects, 1, known(1, 2)), BEFORE + first);
}

#[test]
fn a_limit_leaves_the_rest_out() {
    let limited = Terms { limit: Some(7), ..terms(Method::Copy, AUTO) };
    let forecast = forecaster(limited, std::iter::repeat_n(SMALL, 2500), 1).finish(
        &known(2500, 0),
        Prices::LISTED,
        DatabaseForecast::default(),
    );
    assert_eq!((forecast.by_type.copy, forecast.by_type.list, forecast.bytes), (3 + 7, 3 + 6, 7_000));
}

#[test]
fn nothing_to_do_takes_two_probes() {
    assert_eq!(by_type(terms(Method::Copy, AUTO), [], 1, known(0, 0)), Requests { list: 2, ..NOTHING });
}

#[test]
fn prices_are_for_thousands_and_deletes_are_free() {
    let prices = Prices { copy: 5.0, read: 0.5, transfer: 0.02 };
    let requests = Requests { list: 1_000, head: 1_000, get: 1_000, put: 1_000, copy: 1_000, delete: 1_000 };
    assert!((cost(prices, requests, 50_000_000_000) - 17.0).abs() < 1e-9);
    assert_eq!(
        described(Prices::LISTED),
        "AWS S3 Standard, us-east-1, 2025-10-28: $0.005 for 1,000 PUT, COPY or LIST, $0.0004 for 1,000 GET or HEAD"
    );
    assert!(
        described(prices).starts_with("as given: $5 for 1,000 PUT") && described(prices).ends_with("$0.02 a GB moved")
    );
}

#[test]
fn time_grows_with_requests_rows_and_bytes() {
    let of = |terms: Terms, known: Known| {
        forecaster(terms, std::iter::repeat_n(SMALL, 2000), 1)
            .finish(&known, Prices::LISTED, DatabaseForecast::default())
            .elapsed
    };
    let (copy, many) = (terms(Method::Copy, AUTO), known(2000, 0));
    let usual = of(copy, many);
    assert!(usual > Duration::from_millis(1500) && usual < Duration::from_secs(3), "{usual:?}");
    assert!(of(copy, Known { moving: 1_000_000, ..many }) > usual + Duration::from_secs(15));
    assert!(of(copy, Known { latency: Duration::from_secs(1), ..many }) > usual + Duration::from_secs(15));
    assert!(of(copy, Known { looked: Duration::from_secs(60), ..many }) > usual + Duration::from_secs(59));
}
