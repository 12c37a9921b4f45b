//! What `verify` found, for a person.

use std::path::PathBuf;

use super::Paint;
use super::sheet::{Figure, Problem, Sheet, Tone, names, requests};
use crate::report::summary::VerifySummary;
use crate::report::text::{counted, duration, printable};

/// What a verify comes to, for whoever shows it.
pub(in crate::report) struct Verdict {
    pub(in crate::report) tone: Tone,
    pub(in crate::report) word: &'static str,
    pub(in crate::report) sentence: String,
    /// All that can stand in the way, with how often it does.
    pub(in crate::report) problems: [Problem; 7],
    /// What to type next.
    pub(in crate::report) next: &'static str,
}

/// The verdict, the counts, where the report is, and the next command.
#[must_use]
pub fn verify_text(summary: &VerifySummary, paint: Paint) -> String {
    let Verdict { tone, word, sentence, problems, next } = verdict(summary);
    let mut sheet = Sheet::new(paint, tone, word, &sentence);
    sheet.figures(row_figures(summary).into_iter().chain(object_figures(summary)));
    let file =
        |path: &Option<PathBuf>| path.as_ref().map(|path| printable(&path.to_string_lossy())).unwrap_or_default();
    sheet.facts(&[
        ("report", file(&summary.report)),
        ("page", file(&summary.html)),
        ("unlisted", names(&summary.unlisted_references)),
        ("fenced", if summary.fenced { "yes" } else { "no: new legacy paths can still be written" }.to_owned()),
        ("requests", requests(summary.requests)),
        ("time", duration(summary.elapsed)),
    ]);
    if !summary.finalizable {
        sheet.problems("What stands in the way of finalize, and what to do:", &problems);
        sheet.sentences("Also in the way:", &summary.reasons);
    }
    sheet.next(next);
    sheet.finish()
}

/// The rows by class.
pub(in crate::report) fn row_figures(summary: &VerifySummary) -> [Option<Figure>; 5] {
    let rows = &summary.rows;
    [
        Figure::always("legacy rows", rows.legacy),
        Figure::always("modern rows", rows.modern),
        Figure::some("suspect rows", rows.suspect),
        Figure::some("rows out of scope", rows.out_of_scope),
        Figure::some("other rows", rows.foreign),
    ]
}

/// The objects by ending, and what no row names.
pub(in crate::report) fn object_figures(summary: &VerifySummary) -> [Option<Figure>; 8] {
    let objects = &summary.objects;
    [
        Figure::always("objects verified", objects.verified),
        Figure::some("objects missing in production", objects.missing_target),
        Figure::some("objects that differ", objects.mismatch),
        Figure::some("objects replaced since", objects.superseded),
        Figure::some("objects missing in legacy", objects.missing_source),
        Figure::some("objects in conflict", objects.conflict),
        Figure::some("orphans", summary.orphans),
        Figure::some("mentions in longer texts", summary.mentions),
    ]
}

/// What to tell first, and what to do next.
pub(in crate::report) fn verdict(summary: &VerifySummary) -> Verdict {
    let problems = problems(summary);
    let next = next(summary, &problems);
    let found: Vec<String> = problems.iter().filter(|problem| problem.count > 0).map(Problem::name).collect();
    let (tone, word, sentence) = if summary.finalizable {
        let rows = counted(summary.rows.modern, "modern row resolves", "modern rows resolve");
        (Tone::Good, "CLEAN", format!("no legacy row is left and {rows}; finalize may delete"))
    } else if found.is_empty() {
        (Tone::Bad, "NOT FINALIZABLE", "finalize would refuse".to_owned())
    } else {
        (Tone::Bad, "NOT CLEAN", found.join(", "))
    };
    Verdict { tone, word, sentence, problems, next }
}

fn next(summary: &VerifySummary, problems: &[Problem]) -> &'static str {
    let harder = problems.iter().any(|problem| problem.count > 0 && problem.one != LEGACY_ROW);
    match (summary.finalizable, summary.rows.legacy > 0, harder || !summary.reasons.is_empty()) {
        (true, _, _) => "avatarMigrate finalize",
        (false, true, false) => "avatarMigrate copy",
        (false, true, true) => "mend what is listed, then avatarMigrate copy",
        (false, false, _) => "mend what is listed, then avatarMigrate verify --report out.csv",
    }
}

fn problems(summary: &VerifySummary) -> [Problem; 7] {
    let VerifySummary { rows, objects, .. } = summary;
    let unlisted = u64::try_from(summary.unlisted_references.len()).unwrap_or(u64::MAX);
    let problem = |count, one, many, advice| Problem { count, one, many, advice };
    [
        problem(rows.legacy, LEGACY_ROW, "legacy rows", "`avatarMigrate copy` moves what can move"),
        problem(
            rows.suspect,
            "suspect row",
            "suspect rows",
            "in a form that no mapping covers: correct the path, or add a mapping",
        ),
        problem(
            objects.missing_target,
            "missing target",
            "missing targets",
            "modern rows name an object that is not there: restore it now, users see a broken image",
        ),
        problem(
            objects.mismatch,
            "mismatch",
            "mismatches",
            "source and target differ: avatarMigrate resolve KEY --keep source|target",
        ),
        problem(
            objects.missing_source,
            "missing source",
            "missing sources",
            "legacy rows name an object that is not there: restore it, or correct the rows",
        ),
        problem(
            objects.conflict,
            "conflict",
            "conflicts",
            "the production bucket holds other bytes there: avatarMigrate resolve KEY --keep source|target",
        ),
        problem(
            unlisted,
            "unlisted reference",
            "unlisted references",
            "columns with legacy paths: add them with --reference or --exclude-reference",
        ),
    ]
}

const LEGACY_ROW: &str = "legacy row";

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::report::summary::{Requests, VerifyObjects, VerifyRows};

    fn clean() -> VerifySummary {
        VerifySummary {
            rows: VerifyRows { modern: 1_234_567, foreign: 8, ..VerifyRows::default() },
            objects: VerifyObjects { verified: 1_234_000, superseded: 567, ..VerifyObjects::default() },
            orphans: 5,
            finalizable: true,
            report: Some("out.csv".into()),
            requests: Requests { list: 2_470, ..Requests::default() },
            elapsed: Duration::from_secs(3_725),
            ..VerifySummary::default()
        }
    }

    #[test]
    fn a_clean_verify() {
        let expected = "\
CLEAN: no legacy row is left and 1,234,567 modern rows resolve; finalize may delete

  legacy rows                     0
  modern rows             1,234,567
  other rows                      8
  objects verified        1,234,000
  objects replaced since        567
  orphans                         5

  report    out.csv
  fenced    no: new legacy paths can still be written
  requests  2,470 list
  time      1 h 2 min

Next: avatarMigrate finalize
";
        assert_eq!(verify_text(&clean(), Paint::Plain), expected);
    }

    #[test]
    fn legacy_rows_and_a_conflict() {
        let summary = VerifySummary {
            rows: VerifyRows { legacy: 3, ..VerifyRows::default() },
            objects: VerifyObjects { verified: 2, conflict: 1, ..VerifyObjects::default() },
            unlisted_references: vec!["logs.note".into()],
            orphans: 0,
            fenced: true,
            finalizable: false,
            report: Some("out\u{202e}.csv".into()),
            reasons: vec!["1 row whose source changed after it was copied\n".into()],
            ..clean()
        };
        let expected = "\
NOT CLEAN: 3 legacy rows, 1 conflict, 1 unlisted reference

  legacy rows          3
  modern rows          0
  objects verified     2
  objects in conflict  1

  report    out\\u{202e}.csv
  unlisted  logs.note
  fenced    yes
  requests  2,470 list
  time      1 h 2 min

What stands in the way of finalize, and what to do:
  3 legacy rows         `avatarMigrate copy` moves what can move
  1 conflict            the production bucket holds other bytes there: avatarMigrate resolve KEY --keep source|target
  1 unlisted reference  columns with legacy paths: add them with --reference or --exclude-reference

Also in the way:
  1 row whose source changed after it was copied\\u{a}

Next: mend what is listed, then avatarMigrate copy
";
        assert_eq!(verify_text(&summary, Paint::Plain), expected);
    }

    #[test]
    fn the_next_command_fits_what_was_found() {
        let unclean = VerifySummary { finalizable: false, ..clean() };
        let next =
            |summary: &VerifySummary| verify_text(summary, Paint::Plain).lines().last().expect("a line").to_owned();
        let legacy = VerifySummary { rows: VerifyRows { legacy: 1, ..VerifyRows::default() }, ..unclean.clone() };
        assert_eq!(next(&legacy), "Next: avatarMigrate copy");
        assert_eq!(next(&unclean), "Next: mend what is listed, then avatarMigrate verify --report out.csv");
        assert!(verify_text(&unclean, Paint::Plain).starts_with("NOT FINALIZABLE: finalize would refuse\n"));
    }
}
