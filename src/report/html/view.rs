//! What the template shows, word by word.

use std::time::Duration;

use askama::Template;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use indicatif::{HumanBytes, HumanCount};
use sha2::{Digest, Sha256};

use super::About;
use super::bars::{FULL, begin, length};
use super::pictures::{Picture, ShownTwins};
use super::rows::{Kept, Row};
use super::sample::PICTURE_BYTES_MAX;
use super::sizes::Sizes;
use super::statuses::{BY_WEIGHT, StatusCounts, meaning, tone};
use crate::finding::Status;
use crate::report::human::{Figure, Tone, object_figures, requests, row_figures, verdict};
use crate::report::progress::PhasePast;
use crate::report::text::{counted, duration, printable};

/// Rows that stand in the page itself, for whoever runs no scripts.
const ROWS_WITHOUT_SCRIPT: usize = 50;
/// How a command begins.
const PROGRAM: &str = "avatarMigrate ";
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// The page.
#[derive(Template)]
#[template(path = "page.html")]
pub(super) struct Page<'a> {
    policy: String,
    style: &'static str,
    script: &'static str,
    version: &'static str,
    tone: &'static str,
    word: &'static str,
    sentence: String,
    next: Vec<Part>,
    problems: Vec<Advice>,
    reasons: Vec<String>,
    facts: Vec<(&'static str, String)>,
    figures: [(&'static str, Vec<Figure>); 2],
    statuses: Vec<StatusLine>,
    sizes: Vec<SizeBar>,
    sizes_note: String,
    phases: Vec<PhaseBar>,
    began: String,
    galleries: [Gallery; 2],
    picture_limit: String,
    rows: &'a Kept,
    first: Vec<ShownRow>,
    lines: String,
    kept: String,
    left_out: Option<String>,
    report: String,
    full: u64,
}

/// A problem and what to do about it.
struct Advice {
    name: String,
    parts: Vec<Part>,
}

/// A piece of a sentence: words, or something to type.
struct Part {
    text: String,
    code: bool,
}

struct StatusLine {
    word: &'static str,
    tone: &'static str,
    meaning: &'static str,
    count: String,
    length: u64,
}

struct SizeBar {
    from: String,
    to: String,
    count: String,
    length: u64,
}

struct PhaseBar {
    name: String,
    done: String,
    after: String,
    took: String,
    begin: u64,
    length: u64,
}

struct Gallery {
    title: &'static str,
    hint: Vec<Part>,
    name: &'static str,
    twins: Vec<Shown>,
}

struct Shown {
    key: String,
    status: &'static str,
    tone: &'static str,
    said: String,
    sides: [ShownSide; 2],
}

struct ShownSide {
    bucket: &'static str,
    address: Option<String>,
    instead: &'static str,
}

struct ShownRow {
    row: Row,
    tone: &'static str,
    size: String,
}

impl<'a> Page<'a> {
    pub(super) fn new(about: &About<'_>, began: &str, rows: &'a Kept, counts: &StatusCounts, sizes: &Sizes) -> Self {
        let summary = about.summary;
        let verdict = verdict(summary);
        let report = summary.report.as_ref().map(|path| printable(&path.to_string_lossy())).unwrap_or_default();
        let problems = verdict.problems.iter().filter(|problem| problem.count > 0);
        let kept = u64::try_from(rows.len()).unwrap_or(u64::MAX);
        Self {
            policy: policy(),
            style: STYLE,
            script: SCRIPT,
            version: env!("VERSION_AND_COMMIT"),
            tone: match verdict.tone {
                Tone::Good => "good",
                Tone::Warning => "work",
                Tone::Bad => "bad",
            },
            word: verdict.word,
            sentence: verdict.sentence,
            next: parts(verdict.next),
            problems: problems.map(|one| Advice { name: one.name(), parts: parts(one.advice) }).collect(),
            reasons: summary.reasons.iter().map(|reason| printable(reason)).collect(),
            facts: facts(about, &report),
            figures: [
                ("Rows", row_figures(summary).into_iter().flatten().collect()),
                ("Objects", object_figures(summary).into_iter().flatten().collect()),
            ],
            statuses: statuses(counts),
            sizes: size_bars(sizes),
            sizes_note: sizes_note(sizes),
            phases: phase_bars(about),
            began: began.get(..19).unwrap_or(began).replace('T', " "),
            galleries: galleries(about.twins),
            picture_limit: bytes(PICTURE_BYTES_MAX),
            rows,
            first: rows.first(ROWS_WITHOUT_SCRIPT).into_iter().map(shown_row).collect(),
            lines: HumanCount(counts.total()).to_string(),
            kept: HumanCount(kept).to_string(),
            left_out: (counts.total() > kept).then(|| HumanCount(counts.total() - kept).to_string()),
            report,
            full: FULL,
        }
    }
}

/// Nothing is loaded from anywhere, and only the style and the script of the page itself are used: their hashes say which.
fn policy() -> String {
    let hash = |text: &str| STANDARD.encode(Sha256::digest(text));
    format!(
        "default-src 'none'; img-src data:; style-src 'sha256-{}'; script-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
        hash(STYLE),
        hash(SCRIPT)
    )
}

/// Tells words from what to type: that stands between back-ticks, or begins with the name of the program and goes to the end.
fn parts(text: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    for (at, piece) in text.split('`').enumerate() {
        let is_code = at % 2 == 1;
        let command = piece.find(PROGRAM).filter(|_| !is_code).unwrap_or(piece.len());
        let (words, command) = piece.split_at(command);
        parts.push(Part { text: words.to_owned(), code: is_code });
        parts.push(Part { text: command.to_owned(), code: true });
    }
    parts.retain(|part| !part.text.is_empty());
    parts
}

fn facts(about: &About<'_>, report: &str) -> Vec<(&'static str, String)> {
    let (config, summary) = (about.config, about.summary);
    let mappings: Vec<String> = config.mappings.all().iter().map(ToString::to_string).collect();
    let pattern = config.mappings.pattern().to_string();
    let facts = [
        ("Legacy bucket", config.source.bucket.clone()),
        ("Production bucket", config.target.bucket.clone()),
        ("Database", format!("{} on {}", config.database.schema, config.database.host)),
        ("Paths", format!("{}, names {pattern}", mappings.join(", "))),
        ("Unlisted columns", summary.unlisted_references.join(", ")),
        ("Fenced", if summary.fenced { "yes" } else { "no: new legacy paths can still be written" }.to_owned()),
        ("Report", report.to_owned()),
        ("Requests", requests(summary.requests)),
        ("Time", duration(summary.elapsed)),
    ];
    let said = facts.into_iter().filter(|(_, value)| !value.is_empty());
    said.map(|(name, value)| (name, printable(&value))).collect()
}

fn statuses(counts: &StatusCounts) -> Vec<StatusLine> {
    let most = counts.found().map(|(_, count)| count).max().unwrap_or_default();
    let line = |(status, count): (Status, u64)| StatusLine {
        word: status.word(),
        tone: tone(status),
        meaning: meaning(status),
        count: HumanCount(count).to_string(),
        length: length(count, most),
    };
    counts.found().map(line).collect()
}

fn size_bars(sizes: &Sizes) -> Vec<SizeBar> {
    let bars = sizes.bars();
    let most = bars.iter().map(|(_, count)| *count).max().unwrap_or_default();
    let bar = |(sizes, count): (std::ops::RangeInclusive<u64>, u64)| SizeBar {
        from: bytes(*sizes.start()),
        to: bytes(sizes.end().saturating_add(1)),
        count: HumanCount(count).to_string(),
        length: length(count, most),
    };
    bars.into_iter().map(bar).collect()
}

/// A power of two in short.
fn bytes(size: u64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let power = size.checked_ilog2().unwrap_or_default() / 10;
    let unit = usize::try_from(power).ok().and_then(|at| units.get(at)).copied().unwrap_or("EiB");
    format!("{} {unit}", size >> (10 * power))
}

fn sizes_note(sizes: &Sizes) -> String {
    let Some((least, most)) = sizes.range() else { return "No object was found.".to_owned() };
    let (all, objects) = (HumanBytes(sizes.bytes()), counted(sizes.objects(), "object", "objects"));
    format!("{objects}, {all} together; the smallest has {}, the largest {}.", HumanBytes(least), HumanBytes(most))
}

fn phase_bars(about: &About<'_>) -> Vec<PhaseBar> {
    let ticks = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    let first = about.phases.iter().map(|phase| phase.began).min().unwrap_or_default();
    let last = about.phases.iter().map(|phase| phase.began + phase.took).max().unwrap_or_default();
    let whole = ticks(last.saturating_sub(first));
    let bar = |phase: &PhasePast| {
        let (after, length) = (phase.began.saturating_sub(first), length(ticks(phase.took).max(1), whole));
        PhaseBar {
            name: phase.phase.clone(),
            done: format!("{} {}", HumanCount(phase.done), phase.unit),
            after: short(after),
            took: short(phase.took),
            begin: begin(ticks(after), whole, length),
            length,
        }
    };
    about.phases.iter().map(bar).collect()
}

/// Phases are often shorter than what [`duration`] tells apart.
fn short(time: Duration) -> String {
    if time < Duration::from_secs(1) { format!("{} ms", time.as_millis()) } else { duration(time) }
}

fn galleries(twins: &[ShownTwins]) -> [Gallery; 2] {
    let is_different = |shown: &&ShownTwins| shown.twins.status.is_dispute();
    let (different, same): (Vec<_>, Vec<_>) = twins.iter().partition(is_different);
    [
        Gallery {
            title: "Pictures that differ",
            hint: parts("Look at them before you decide: `avatarMigrate resolve KEY --keep source|target`. "),
            name: "different",
            twins: different.into_iter().map(shown).collect(),
        },
        Gallery {
            title: "Pictures, before and after",
            hint: parts("Drawn by lot from all that were compared. "),
            name: "same",
            twins: same.into_iter().map(shown).collect(),
        },
    ]
}

fn shown(shown: &ShownTwins) -> Shown {
    let ShownTwins { twins, before, after } = shown;
    let side = |bucket, picture: &Picture| ShownSide { bucket, address: picture.address(), instead: picture.instead() };
    let size = |bytes: &[u8]| HumanBytes(bytes.len() as u64);
    Shown {
        key: printable(twins.target.key.as_str()),
        status: twins.status.word(),
        tone: tone(twins.status),
        said: match (before.bytes(), after.bytes()) {
            (Some(ours), Some(theirs)) if ours == theirs => format!("the same bytes, {}", size(ours)),
            (Some(ours), Some(theirs)) => format!("{} and {}", size(ours), size(theirs)),
            (Some(one), None) | (None, Some(one)) => size(one).to_string(),
            (None, None) => String::new(),
        },
        sides: [side("legacy", before), side("production", after)],
    }
}

fn shown_row(row: Row) -> ShownRow {
    let status = BY_WEIGHT.into_iter().find(|status| status.word() == row.status);
    ShownRow {
        tone: status.map(tone).unwrap_or_default(),
        size: row.size.map(|size| HumanBytes(size).to_string()).unwrap_or_default(),
        row,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_to_type_is_told_from_words() {
        let told = |text: &str| parts(text).into_iter().map(|part| (part.text, part.code)).collect::<Vec<_>>();
        let of = |text: &str, code| (text.to_owned(), code);
        assert_eq!(told("`avatarMigrate copy` moves it"), [of("avatarMigrate copy", true), of(" moves it", false)]);
        assert_eq!(
            told("differ: avatarMigrate resolve KEY"),
            [of("differ: ", false), of("avatarMigrate resolve KEY", true)]
        );
        assert_eq!(told("restore it"), [of("restore it", false)]);
    }

    #[test]
    fn powers_of_two_are_short() {
        let shown = [0, 1, 512, 1 << 10, 256 << 10, 1 << 20, 1 << 63, u64::MAX].map(bytes);
        assert_eq!(shown, ["0 B", "1 B", "512 B", "1 KiB", "256 KiB", "1 MiB", "8 EiB", "15 EiB"]);
    }
}
