//! Where a migration stands, for a person.

use std::time::Duration;

use indicatif::{HumanCount, HumanFloatCount};

use super::Paint;
use super::sheet::{Sheet, Tone};
use crate::report::summary::{Activity, RunRecord, State, StatusSummary, WorkerRecord};
use crate::report::text::{counted, duration, printable};

/// What runs or ran last, how far it is, what the ledger counts, and what to do next.
#[must_use]
pub fn status_text(summary: &StatusSummary, paint: Paint) -> String {
    let run = summary.run.as_ref();
    let name = run.map(|run| format!("{}, run {}", printable(&run.name), run.id)).unwrap_or_default();
    let (tone, word, sentence) = match summary.state {
        State::New => {
            (Tone::Good, "NEW", "nothing has run yet with these buckets, this schema and these prefixes".to_owned())
        }
        State::Running => (Tone::Good, "RUNNING", name),
        State::Silent => (Tone::Warning, "SILENT", format!("{name}, holds the lock and says nothing")),
        State::Ended => (Tone::Good, "IDLE", format!("the last was {name}")),
        State::CutOff => (Tone::Warning, "CUT OFF", format!("{name}, is gone and has not signed off")),
        State::Locked => (Tone::Warning, "LOCKED", "a run of other settings is at work on this schema".to_owned()),
    };
    let mut sheet = Sheet::new(paint, tone, word, &sentence);
    let holder = summary.holder.as_ref().map(|holder| printable(&holder.to_string()));
    let mut facts = vec![("holds the lock", holder.unwrap_or_default())];
    facts.extend(run.map(of_run).unwrap_or_default());
    facts.extend([
        ("objects", objects(summary)),
        ("rows moved", summary.rows_moved.map(|rows| HumanCount(rows).to_string()).unwrap_or_default()),
        (
            "last cutover",
            summary.last_cutover.as_ref().map(|last| format!("{}, run {}", last.at, last.run)).unwrap_or_default(),
        ),
        (
            "grace clock",
            summary
                .clean_for_seconds
                .map(|seconds| format!("clean for {}", length(seconds as f64)))
                .unwrap_or_default(),
        ),
    ]);
    sheet.facts(&facts);
    if !summary.workers.is_empty() {
        sheet.sentences("Workers of that run:", &summary.workers.iter().map(worker).collect::<Vec<_>>());
    }
    if let Some(next) = next(summary) {
        sheet.next(next);
    }
    sheet.finish()
}

/// `3  process 4711 on host-a, alive, holds the run: 12 ranges, 40,000 objects`.
fn worker(worker: &WorkerRecord) -> String {
    let WorkerRecord { id, pid, ranges, objects, .. } = worker;
    let (host, state) = (printable(&worker.host), printable(&worker.state));
    let holds = if worker.holder { ", holds the run" } else { "" };
    let (ranges, objects) = (counted(*ranges, "range", "ranges"), counted(*objects, "object", "objects"));
    format!("{id}  process {pid} on {host}, {state}{holds}: {ranges}, {objects}")
}

fn of_run(run: &RunRecord) -> Vec<(&'static str, String)> {
    let ended = match (&run.finished_at, run.exit_code) {
        (Some(at), Some(code)) => format!("{at}, exit code {code}"),
        (_, _) => String::new(),
    };
    let silent =
        if run.finished_at.is_none() { format!("{} ago", length(run.silent_seconds as f64)) } else { String::new() };
    vec![
        ("at", run.phase.as_ref().map(at).unwrap_or_default()),
        ("process", format!("{} on {}", run.pid, printable(&run.host))),
        ("begun", run.started_at.clone()),
        ("ended", ended),
        ("heart-beat", silent),
    ]
}

/// `copy, 1,200 of 12,000 objects (10 %), 120/s, 1 min 30 s left`.
fn at(phase: &Activity) -> String {
    let of = phase.total.map(|total| format!(" of {}", HumanCount(total))).unwrap_or_default();
    let mut text = format!("{}, {}{of} {}", printable(&phase.name), HumanCount(phase.done), printable(&phase.unit));
    if let Some(total) = phase.total.filter(|total| *total > 0) {
        text += &format!(" ({} %)", u128::from(phase.done) * 100 / u128::from(total));
    }
    if let Some(pace) = per_second(phase) {
        text += &format!(", {}/s", HumanFloatCount(pace.round()));
    }
    if let Some(left) = seconds_left(phase) {
        text += &format!(", {} left", length(left));
    }
    text
}

/// How many are done a second, over all; `None` before there is anything to tell from.
fn per_second(phase: &Activity) -> Option<f64> {
    (phase.done > 0 && phase.seconds >= 1.0).then(|| phase.done as f64 / phase.seconds)
}

/// How long the rest takes at that pace, in seconds.
fn seconds_left(phase: &Activity) -> Option<f64> {
    let left = phase.total?.saturating_sub(phase.done);
    Some(left as f64 / per_second(phase)?)
}

/// `1,200 verified, 3 failed`.
fn objects(summary: &StatusSummary) -> String {
    let Some(objects) = &summary.objects else { return "too many to be counted here".to_owned() };
    let states =
        objects.iter().map(|(state, count)| format!("{} {}", HumanCount(*count), printable(state).replace('_', " ")));
    states.collect::<Vec<_>>().join(", ")
}

fn next(summary: &StatusSummary) -> Option<&'static str> {
    let run = summary.run.as_ref();
    match (summary.state, run.map(|run| (run.name.as_str(), run.exit_code))) {
        (State::New, _) => Some("avatarMigrate doctor"),
        (State::Running | State::Locked, _) => Some("avatarMigrate status --watch"),
        (State::Silent, _) => Some("look after that process; once it is gone, another run takes over by itself"),
        (State::CutOff, _) => Some("the same command again: it continues where the last one stopped"),
        (State::Ended, Some(("copy", Some(0)))) => Some("avatarMigrate verify --report out.csv"),
        (State::Ended, _) => None,
    }
}

fn length(seconds: f64) -> String {
    duration(Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(Duration::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn running() -> StatusSummary {
        let phase = Activity {
            name: "copy".to_owned(),
            done: 1200,
            total: Some(12_000),
            unit: "objects".to_owned(),
            seconds: 10.0,
        };
        let run = RunRecord {
            id: 7,
            name: "copy".to_owned(),
            host: "db\u{1b}1".to_owned(),
            pid: 42,
            phase: Some(phase),
            ..RunRecord::default()
        };
        StatusSummary { state: State::Running, run: Some(run), ..StatusSummary::default() }
    }

    #[test]
    fn a_phase_tells_how_far_how_fast_and_how_long() {
        let text = status_text(&running(), Paint::Plain);
        assert!(text.starts_with("RUNNING: copy, run 7\n"), "{text}");
        assert!(text.contains("copy, 1,200 of 12,000 objects (10 %), 120/s, 1 min 30 s left"), "{text}");
        assert!(text.contains("42 on db\\u{1b}1"), "{text}");
        assert!(text.contains("objects     too many to be counted here"), "{text}");
    }

    #[test]
    fn a_phase_that_has_just_begun_promises_nothing() {
        let phase = Activity { done: 3, total: Some(10), seconds: 0.2, ..Activity::default() };
        assert_eq!((per_second(&phase), seconds_left(&phase)), (None, None));
    }
}
