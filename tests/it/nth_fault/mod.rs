//! The n-th fault: at each request of each command, each kind of fault; then the same command again, and on to the end.
//!
//! A run without faults tells the requests. Each is then struck by each kind that applies to its operation, in a world
//! set back to where the command starts. During the run an observer looks on at every request; after it the promises
//! must hold; then the rest of the migration runs without faults and must end as if nothing had happened. What a run does
//! follows from the state that it finds, so a state from which the rest has been shown to succeed is not continued twice.

mod inject;
mod kind;
mod promises;
mod stage;

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use avatar_migrate_kit::Ignored;
use avatar_migrate_kit::effort::{self, Lot};

use self::inject::{Injector, Point, Strike};
use self::kind::Kind;
use self::promises::observer;
use self::stage::{Stage, Start};
use crate::support::Ended;

/// Worlds at once: most of the time of a struck run is a pause before the next attempt.
const WORLDS: usize = 3;

const COPY: &[&str] = &["copy"];
const VERIFY: &[&str] = &["verify", "--report", "out.csv"];
const FINALIZE: &[&str] = &["finalize", "--yes", "--orphans", "copy", "--report", "out.csv"];
const ROLLBACK: &[&str] = &["rollback", "--yes", "--restore-objects"];

/// A command to strike, where it starts, and what comes after it.
struct Phase {
    name: &'static str,
    start: Start,
    method: &'static str,
    ignored: &'static [Ignored],
    /// The commands in order, the struck one first.
    commands: Vec<&'static [&'static str]>,
}

/// How a command ends when nothing happens.
struct Clean {
    code: i32,
    visible: Vec<String>,
    report: Option<usize>,
}

/// A phase whose clean run is known.
struct Struck {
    phase: Phase,
    points: Vec<Point>,
    clean: Vec<Clean>,
    /// Commands and states from which the rest succeeds.
    known: Mutex<BTreeSet<(usize, Vec<String>)>>,
    /// Worlds that nobody uses right now.
    stages: Mutex<Vec<Stage>>,
}

/// Two faults by lot.
#[derive(Debug)]
struct Pair {
    one: Strike,
    two: Strike,
    in_one_run: bool,
}

/// What a struck run was.
struct Outcome {
    ended: Ended,
    hits: Vec<bool>,
    points: Vec<Point>,
}

#[test]
fn copy() {
    Struck::of("copy", Start::Planned, "copy", &[], &[COPY, VERIFY, FINALIZE]).every_fault(|_| true);
}

#[test]
fn copy_by_streaming() {
    let phase = Struck::of("stream", Start::Planned, "stream", &[], &[COPY, VERIFY, FINALIZE]);
    let moves = ["GetObject", "PutObject", "UploadPart", "CreateMultipartUpload", "CompleteMultipartUpload"];
    phase.every_fault(|point| moves.contains(&point.operation.as_str()) && !point.is_scratch());
}

#[test]
fn verify() {
    Struck::of("verify", Start::Moved, "copy", &[], &[VERIFY, FINALIZE]).every_fault(|_| true);
}

#[test]
fn finalize() {
    Struck::of("finalize", Start::Moved, "copy", &[], &[FINALIZE]).every_fault(|point| !point.is_copy_canary());
}

#[test]
fn finalize_where_batches_have_no_conditions() {
    let phase = Struck::of("finalize one by one", Start::Moved, "copy", &[Ignored::DeleteBatch], &[FINALIZE]);
    phase.every_fault(|point| point.operation == "DeleteObject" && !point.is_scratch());
}

#[test]
fn rollback() {
    Struck::of("rollback", Start::Deleted, "copy", &[], &[ROLLBACK]).every_fault(|point| !point.is_scratch());
}

impl Phase {
    fn stage(&self) -> Stage {
        Stage::at(self.start, self.method, self.ignored)
    }

    /// Runs the `n`-th command under strikes; what the observer saw must be whole.
    fn strike(&self, stage: &Stage, n: usize, strikes: &[Strike]) -> Outcome {
        let s3 = &stage.world.s3;
        let injector = Injector::set(s3, strikes, observer(stage, Arc::downgrade(s3)));
        let mut arguments = stage.arguments(self.commands[n]);
        if strikes.iter().any(|(_, kind)| *kind == Kind::TimeOut) {
            arguments.extend(["--request-timeout", "1s"]);
        }
        let running = stage.world.start(&arguments);
        injector.aim(running.pid());
        let ended = running.ended();
        s3.no_faults();
        assert_eq!(injector.broken(), [""; 0], "{}", ended.stderr);
        Outcome { ended, hits: injector.hits(), points: injector.points() }
    }
}

impl Struck {
    /// Runs the phase without faults, twice: the requests must be the same.
    fn of(
        name: &'static str,
        start: Start,
        method: &'static str,
        ignored: &'static [Ignored],
        commands: &[&'static [&'static str]],
    ) -> Self {
        let phase = Phase { name, start, method, ignored, commands: commands.to_vec() };
        let stage = phase.stage();
        let [points, again] = [(); 2].map(|()| {
            stage.reset();
            phase.strike(&stage, 0, &[]).points
        });
        let sorted = |points: &[Point]| points.iter().cloned().collect::<BTreeSet<_>>();
        assert_eq!(sorted(&points), sorted(&again), "{name}: another run makes other requests");
        stage.reset();
        let mut clean = Vec::new();
        for command in &phase.commands {
            let ended = stage.run(command);
            assert!([0, 3].contains(&ended.code), "{name}: {command:?} ends with {}\n{}", ended.code, ended.stderr);
            assert_eq!(stage.broken_promises(), [""; 0], "{name}: {command:?}");
            clean.push(Clean { code: ended.code, visible: stage.visible(), report: stage.report_lines() });
            stage.by_hand(command);
        }
        Self { phase, points, clean, known: Mutex::default(), stages: Mutex::new(vec![stage]) }
    }

    /// Each kind of fault at each request that is this phase's `own`, in `make deep` also at those that another phase makes
    /// as well; then pairs of faults, many in `make deep`.
    fn every_fault(&self, own: impl Fn(&Point) -> bool) {
        let struck = self.points.iter().filter(|point| effort::times(0, 1) == 1 || own(point));
        let points = struck.clone().count();
        let strikes = struck.flat_map(|point| Kind::ALL.map(|kind| (point.clone(), kind)));
        let singles: Vec<Strike> = strikes.filter(|(point, kind)| kind.applies(&point.operation)).collect();
        self.each(&singles, |stage, strike| {
            let outcome = self.first(stage, std::slice::from_ref(strike));
            assert_eq!(outcome.hits, [true], "the fault point was never hit");
            self.rest(stage);
        });
        let pairs = self.pairs(&singles);
        let both = AtomicUsize::new(0);
        self.each(&pairs, |stage, pair| both.fetch_add(usize::from(self.two_faults(stage, pair)), Ordering::SeqCst));
        let both = both.into_inner();
        // A handful may all miss.
        assert!(both * 5 >= pairs.len() || pairs.len() < 50, "only {both} of {} pairs were hit", pairs.len());
        let states = self.known.lock().expect("a lock").len();
        note(&[("points", points), ("single", singles.len()), ("pairs", both), ("states", states)]);
    }

    /// Pairs by lot. A second fault after the end of a run has to strike the run that repeats it.
    fn pairs(&self, singles: &[Strike]) -> Vec<Pair> {
        let mut lot = Lot::of(&format!("s3_faults {}", self.phase.name));
        let mut draw = || {
            let index = lot.below(u64::try_from(singles.len()).expect("a number"));
            singles[usize::try_from(index).expect("an index")].clone()
        };
        let drawn = (0..effort::times(3, 250)).map(|n| {
            let (one, two) = (draw(), draw());
            let ends = one.1.crashes() || one.1 == Kind::Expired;
            let place = |strike: &Strike| self.points.iter().position(|point| *point == strike.0);
            Pair { in_one_run: n % 2 == 0 && !ends && place(&one) < place(&two), one, two }
        });
        drawn.collect()
    }

    /// Whether both struck. The first fault may well make the second one's request needless.
    fn two_faults(&self, stage: &Stage, pair: &Pair) -> bool {
        let Pair { one, two, in_one_run } = pair;
        let hits = if *in_one_run {
            self.first(stage, &[one.clone(), two.clone()]).hits
        } else {
            let first = self.first(stage, std::slice::from_ref(one)).hits;
            [first, self.first(stage, std::slice::from_ref(two)).hits].concat()
        };
        // Of two requests that run side by side the second may come first, and end the run.
        assert!(hits.contains(&true), "neither fault point was hit");
        self.rest(stage);
        hits == [true, true]
    }

    /// Does something for each case, in several worlds at once.
    fn each<T: Debug + Sync, R>(&self, cases: &[T], act: impl Fn(&Stage, &T) -> R + Sync) {
        let next = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..WORLDS {
                scope.spawn(|| {
                    let free = self.stages.lock().expect("a lock").pop();
                    let stage = free.unwrap_or_else(|| self.phase.stage());
                    while let Some(case) = cases.get(next.fetch_add(1, Ordering::SeqCst)) {
                        let red = Case(format!("{} under {case:?}", self.phase.name));
                        stage.reset();
                        act(&stage, case);
                        red.passed();
                    }
                    self.stages.lock().expect("a lock").push(stage);
                });
            }
        });
    }

    /// The struck run itself, and what must hold right after it.
    fn first(&self, stage: &Stage, strikes: &[Strike]) -> Outcome {
        let outcome = self.phase.strike(stage, 0, strikes);
        let ended = &outcome.ended;
        assert_eq!(stage.broken_promises(), [""; 0], "{}", ended.stderr);
        let crashed = strikes.iter().zip(&outcome.hits).any(|((_, kind), hit)| *hit && kind.crashes());
        assert_eq!(ended.code == -1, crashed, "{}", ended.stderr);
        assert!((-1..=4).contains(&ended.code), "it ends with {}\n{}", ended.code, ended.stderr);
        if ended.code == self.clean[0].code && ended.json.pointer("/objects/failed").is_none_or(|failed| failed == 0) {
            assert_eq!(stage.visible(), self.clean[0].visible, "it says that all is done\n{}", ended.stderr);
        } else if !crashed {
            let report = std::fs::read_to_string(stage.world.directory.path().join("out.csv")).unwrap_or_default();
            let names = ["s3://", "image/avatar-", "avatar/avatar-"].iter().any(|name| ended.stderr.contains(name));
            let names = names || report.contains("could not be compared");
            assert!(names, "it ends with {} and does not say what failed:\n{}", ended.code, ended.stderr);
        }
        let report = stage.report_lines();
        assert!(report.is_none() || self.is_whole(0, report), "half a report: {report:?} lines");
        outcome
    }

    /// The rest of the migration, from the struck command on, without faults.
    fn rest(&self, stage: &Stage) {
        let mut passed = Vec::new();
        for (n, (command, clean)) in self.phase.commands.iter().zip(&self.clean).enumerate() {
            let state = (n, stage.everything());
            if self.known.lock().expect("a lock").contains(&state) {
                break;
            }
            passed.push(state);
            let ended = stage.run(command).exits(clean.code);
            assert_eq!(stage.broken_promises(), [""; 0], "after {command:?}\n{}", ended.stderr);
            assert_eq!(stage.visible(), clean.visible, "after {command:?}\n{}", ended.stderr);
            let report = stage.report_lines();
            assert!(self.is_whole(n, report), "after {command:?}: {report:?} lines of a report");
            stage.by_hand(command);
        }
        self.known.lock().expect("a lock").extend(passed);
    }

    /// Whether the report of the `n`-th command has all its lines. An orphan that an earlier finalize deleted has none any more.
    fn is_whole(&self, n: usize, lines: Option<usize>) -> bool {
        let (all, after_deletes) = (self.clean[n].report, self.phase.commands[n] == FINALIZE);
        lines == all || after_deletes && lines.is_some_and(|lines| Some(lines + 1) == all)
    }
}

impl Stage {
    fn by_hand(&self, command: &[&str]) {
        if command == COPY {
            self.settle_by_hand();
        }
    }

    /// How many lines the report has, if there is one. Each must have all columns.
    fn report_lines(&self) -> Option<usize> {
        let path = self.world.directory.path().join("out.csv");
        path.exists().then(|| self.world.report("out.csv").len())
    }
}

/// Says which case it was when the thread panics.
struct Case(String);

impl Case {
    fn passed(self) {
        std::mem::forget(self);
    }
}

impl Drop for Case {
    #[expect(clippy::print_stdout, reason = "a test that fails shows its standard output")]
    fn drop(&mut self) {
        println!("red: {}", self.0);
    }
}

/// Adds figures of a phase to those of the suite.
fn note(figures: &[(&'static str, usize)]) {
    static TOTALS: Mutex<Vec<(&str, u64)>> = Mutex::new(Vec::new());
    let mut totals = TOTALS.lock().expect("a lock");
    for (name, number) in figures {
        let number = u64::try_from(*number).expect("a number");
        match totals.iter_mut().find(|(known, _)| known == name) {
            Some((_, total)) => *total += number,
            None => totals.push((name, number)),
        }
    }
    effort::record("s3_faults", &totals);
}
