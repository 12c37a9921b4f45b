//! What a terminal and a pipe show of a run.

use std::sync::atomic::{AtomicU64, Ordering};

use indicatif::{InMemoryTerm, TermLike};

use super::*;
use crate::report::text::printable_line;

/// A sink to look into.
#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Sink {
    fn take(&self) -> String {
        String::from_utf8(std::mem::take(&mut *self.0.lock().expect("a sink"))).expect("UTF-8")
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("a sink").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Standard error of the terminal that the bars are drawn on.
struct TermSink(InMemoryTerm);

impl Write for TermSink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write_str(&String::from_utf8_lossy(bytes).replace('\n', "\r\n")).map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A clock to set, in milliseconds.
#[derive(Clone, Default)]
struct Hands(Arc<AtomicU64>);

impl Hands {
    fn advance(&self, milliseconds: u64) {
        self.0.fetch_add(milliseconds, Ordering::Relaxed);
    }

    fn clock(&self) -> Clock {
        let hands = self.clone();
        Box::new(move || Duration::from_millis(hands.0.load(Ordering::Relaxed)))
    }
}

fn lines() -> (Progress, Sink, Hands) {
    let (sink, hands) = (Sink::default(), Hands::default());
    (Progress::with(Shown::Lines(Ticker::new()), Format::Human, Box::new(sink.clone()), hands.clock()), sink, hands)
}

fn bars() -> (Progress, InMemoryTerm, Hands) {
    let (term, hands) = (InMemoryTerm::new(10, 120), Hands::default());
    let bars = Bars::new(ProgressDrawTarget::term_like(Box::new(term.clone())));
    (Progress::with(Shown::Bars(bars), Format::Human, Box::new(TermSink(term.clone())), hands.clock()), term, hands)
}

/// Bars draw from a thread of their own and not at every change.
fn await_bar(term: &InMemoryTerm, parts: &[&str]) {
    let patience = Instant::now() + Duration::from_secs(10);
    while !parts.iter().all(|part| term.contents().contains(part)) {
        assert!(Instant::now() < patience, "{parts:?} are not in {}", term.contents());
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn lines_tell_how_far_and_how_fast() {
    let (progress, sink, hands) = lines();
    let copy = progress.phase("copy", Some(12_000), "objects");
    let plan = progress.phase("plan", None, "rows");
    copy.add(1_200);
    copy.add_bytes(100 << 20);
    plan.add(7);
    assert_eq!(sink.take(), "");

    hands.advance(10_000);
    assert!(progress.0.tick());
    let expected = "\
copy: 1,200 of 12,000 objects (10 %), 100.00 MiB, 120 objects/s, 10.00 MiB/s, 1 min 30 s left
plan: 7 rows, 0.7 rows/s
";
    assert_eq!(sink.take(), expected);

    plan.finish();
    assert_eq!(sink.take(), "plan: 7 rows in 10 s (0.7 rows/s)\n");
    hands.advance(10_000);
    progress.0.tick();
    let stalled = "copy: 1,200 of 12,000 objects (10 %), 100.00 MiB, 0 objects/s, 0 B/s\n";
    assert_eq!(sink.take(), stalled);

    copy.set_total(1_200);
    hands.advance(80_000);
    copy.finish();
    copy.clone().finish();
    assert_eq!(sink.take(), "copy: 1,200 objects, 100.00 MiB in 1 min 40 s (12 objects/s, 1.00 MiB/s)\n");
    progress.0.tick();
    assert_eq!(sink.take(), "");
}

#[test]
fn a_phase_that_was_dropped_says_no_more() {
    let (progress, sink, _) = lines();
    drop(progress.phase("delete", None, "objects"));
    progress.0.tick();
    assert_eq!(sink.take(), "");
}

#[test]
fn tasks_count_together() {
    let (progress, sink, hands) = lines();
    let phase = progress.phase("check", Some(4_000), "rows");
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..1_000).for_each(|_| phase.clone().add(1)));
        }
    });
    hands.advance(500);
    phase.finish();
    assert_eq!(sink.take(), "check: 4,000 rows in 0.5 s\n");
}

#[test]
fn quiet_still_prints_warnings() {
    let sink = Sink::default();
    let progress = Progress::with(Shown::Quiet, Format::Human, Box::new(sink.clone()), Hands::default().clock());
    let phase = progress.phase("copy", Some(1), "objects");
    phase.add(1);
    phase.finish();
    assert!(!progress.0.tick());
    assert_eq!(sink.take(), "");
    progress.println("mind the gap");
    assert_eq!(sink.take(), "mind the gap\n");
}

#[test]
fn each_line_for_machines_is_an_object() {
    let (sink, hands) = (Sink::default(), Hands::default());
    let progress = Progress::with(Shown::Lines(Ticker::new()), Format::Json, Box::new(sink.clone()), hands.clock());
    let copy = progress.phase("copy", Some(12), "objects");
    copy.add(3);
    hands.advance(1_500);
    progress.0.tick();
    progress.println("mind \"the\" gap\u{202e}");
    copy.finish();
    let reasons = ["one".to_owned(), "two".to_owned()];
    progress.fail(&Fields { message: "no", reasons: &reasons, hint: Some("yes"), ..Fields::default() }, "error: no");
    let text = sink.take();
    assert!(text.is_ascii(), "{text}");
    let events: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).expect("an object")).collect();
    let standing = |message: &str| serde_json::json!({"message": message, "phase": "copy", "done": 3, "total": 12, "unit": "objects", "seconds": 1.5});
    let mut closed = standing("copy: 3 objects in 1.5 s (2 objects/s)");
    closed["ended"] = serde_json::json!(true);
    let expected = [
        ("INFO", standing("copy: 3 of 12 objects (25 %), 2 objects/s, 5.0 s left")),
        ("INFO", serde_json::json!({"message": "mind \"the\" gap\u{202e}"})),
        ("INFO", closed),
        ("ERROR", serde_json::json!({"message": "no", "reasons": ["one", "two"], "hint": "yes"})),
    ];
    for (event, (level, fields)) in events.iter().zip(&expected) {
        assert_eq!((event["level"].as_str(), &event["fields"]), (Some(*level), fields));
        assert!(event["timestamp"].as_str().is_some_and(|time| time.ends_with('Z')), "{event}");
    }
    assert_eq!(events.len(), expected.len());
}

#[test]
fn a_sink_that_is_gone_stops_nothing() {
    struct Gone;
    impl Write for Gone {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
    }
    let progress = Progress::with(Shown::Lines(Ticker::new()), Format::Human, Box::new(Gone), Hands::default().clock());
    progress.println("lost");
    progress.phase("copy", None, "objects").finish();
}

#[test]
fn bars_show_the_figures_and_leave_a_closing_line() {
    let (progress, term, hands) = bars();
    let copy = progress.phase("copy", None, "objects");
    copy.add(3);
    await_bar(&term, &["copy 3 objects, "]);

    copy.set_total(12);
    copy.add_bytes(2_048);
    await_bar(&term, &["copy [=", "] 3 of 12 objects (25 %), 2.00 KiB, "]);

    progress.println("a warning");
    await_bar(&term, &["a warning\n", "copy [="]);
    assert!(term.contents().starts_with("a warning\n"));

    hands.advance(2_000);
    copy.add(9);
    copy.finish();
    let closed = "a warning\ncopy: 12 objects, 2.00 KiB in 2.0 s (6 objects/s, 1.00 KiB/s)";
    assert_eq!(term.contents(), closed);

    let delete = progress.phase("delete", Some(9), "objects");
    await_bar(&term, &[closed, "\n", "delete ["]);
    progress.println("another");
    delete.finish();
    progress.println("the end");
    let end = format!("{closed}\nanother\ndelete: 0 objects in 0.0 s\nthe end");
    assert_eq!(term.contents(), end);
}

#[test]
fn a_dropped_bar_disappears() {
    let (progress, term, _) = bars();
    let phase = progress.phase("verify", Some(2), "rows");
    await_bar(&term, &["verify ["]);
    drop(phase);
    assert_eq!(term.contents(), "");
}

#[test]
fn logs_land_above_the_bars() {
    let (progress, term, _) = bars();
    let phase = progress.phase("copy", Some(2), "objects");
    let writer = progress.clone();
    let writer = move || writer.log_writer(printable_line);
    let subscriber = tracing_subscriber::fmt().with_writer(writer).without_time().with_ansi(false).finish();
    tracing::subscriber::with_default(subscriber, || tracing::warn!("slow down"));
    await_bar(&term, &["slow down\n", "copy ["]);
    assert!(term.contents().starts_with(" WARN "));
    drop(phase);
}

#[test]
fn the_thread_ends_with_the_progress() {
    let (ended, seen) = std::sync::mpsc::channel::<()>();
    let ticker = Ticker::new();
    ticker.start(move || {
        let _held = &ended;
        true
    });
    drop(ticker);
    // The closure is dropped when the thread ends: long before its first tick.
    assert_eq!(seen.recv_timeout(Duration::from_secs(5)), Err(std::sync::mpsc::RecvTimeoutError::Disconnected));
}
