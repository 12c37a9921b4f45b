//! What `finalize` did, for a person.

use super::sheet::{Figure, Problem, Sheet, Tone, requests};
use super::{Paint, part};
use crate::report::summary::FinalizeSummary;
use crate::report::text::{counted, duration, printable};

/// What was deleted, what stayed and why, and the next command.
#[must_use]
pub fn finalize_text(summary: &FinalizeSummary, paint: Paint) -> String {
    let mut sheet = verdict(summary, paint);
    let objects = &summary.objects;
    if summary.finalizable {
        sheet.figures([
            Figure::always("objects deleted", objects.deleted),
            Figure::some("orphans copied first", objects.orphans_copied),
            Figure::some("objects kept", objects.kept),
            Figure::some("objects changed", objects.changed),
            Figure::some("failed deletes", objects.failed),
        ]);
    }
    let report = summary.report.as_ref().map(|path| printable(&path.to_string_lossy())).unwrap_or_default();
    let mut facts = vec![
        ("report", report),
        ("fenced", if summary.fenced { "yes" } else { "no: new legacy paths can still be written" }.to_owned()),
        ("requests", requests(summary.requests)),
        ("time", duration(summary.elapsed)),
    ];
    facts.extend(summary.shared.map(|shared| ("worker", part(shared))));
    sheet.facts(&facts);
    sheet.sentences("Why:", &summary.reasons);
    sheet.problems("What stayed in the legacy bucket, and what to do:", &problems(summary));
    if let Some(next) = next(summary) {
        sheet.next(next);
    }
    sheet.finish()
}

fn verdict(summary: &FinalizeSummary, paint: Paint) -> Sheet {
    if !summary.finalizable {
        return Sheet::new(paint, Tone::Bad, "REFUSED", "nothing was deleted");
    }
    let deleted = counted(summary.objects.deleted, "object", "objects");
    let sentence = format!("{deleted} deleted from the legacy bucket in {}", duration(summary.elapsed));
    if undeleted(summary) {
        Sheet::new(paint, Tone::Warning, "WORK IS LEFT", &sentence)
    } else {
        Sheet::new(paint, Tone::Good, "DONE", &sentence)
    }
}

fn next(summary: &FinalizeSummary) -> Option<&'static str> {
    match (summary.finalizable, undeleted(summary)) {
        (false, _) => Some("avatarMigrate verify --report out.csv    (lists what stands in the way)"),
        (true, true) => Some("avatarMigrate finalize    (again: it verifies afresh and takes the rest)"),
        (true, false) => None,
    }
}

fn undeleted(summary: &FinalizeSummary) -> bool {
    summary.work_is_left || summary.objects.changed > 0 || summary.objects.failed > 0
}

fn problems(summary: &FinalizeSummary) -> [Problem; 3] {
    let objects = &summary.objects;
    [
        Problem {
            count: objects.kept,
            one: "kept object",
            many: "kept objects",
            advice: "left on purpose (young, superseded, or so told): the report says why for each",
        },
        Problem {
            count: objects.changed,
            one: "changed object",
            many: "changed objects",
            advice: "written since it was verified, therefore not deleted",
        },
        Problem {
            count: objects.failed,
            one: "failed delete",
            many: "failed deletes",
            advice: "the log says why for each; nothing is lost",
        },
    ]
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::report::summary::{FinalizeObjects, Requests};

    fn done() -> FinalizeSummary {
        FinalizeSummary {
            finalizable: true,
            fenced: true,
            objects: FinalizeObjects { deleted: 1_150, orphans_copied: 12, ..FinalizeObjects::default() },
            report: Some("avatarMigrate-final-7.csv".into()),
            requests: Requests { list: 4, delete: 2, ..Requests::default() },
            elapsed: Duration::from_millis(4_250),
            reasons: Vec::new(),
            shared: None,
            work_is_left: false,
        }
    }

    #[test]
    fn everything_deleted() {
        let expected = "\
DONE: 1,150 objects deleted from the legacy bucket in 4.2 s

  objects deleted       1,150
  orphans copied first     12

  report    avatarMigrate-final-7.csv
  fenced    yes
  requests  4 list, 2 delete
  time      4.2 s
";
        assert_eq!(finalize_text(&done(), Paint::Plain), expected);
    }

    #[test]
    fn what_stayed_is_explained() {
        let objects = FinalizeObjects { deleted: 1, kept: 2, changed: 1, ..FinalizeObjects::default() };
        let text = finalize_text(&FinalizeSummary { objects, ..done() }, Paint::Plain);
        let expected = "
What stayed in the legacy bucket, and what to do:
  2 kept objects    left on purpose (young, superseded, or so told): the report says why for each
  1 changed object  written since it was verified, therefore not deleted

Next: avatarMigrate finalize    (again: it verifies afresh and takes the rest)
";
        assert!(text.starts_with("WORK IS LEFT: 1 object deleted from the legacy bucket"), "{text}");
        assert!(text.ends_with(expected), "{text}");
    }

    #[test]
    fn a_refusal_says_why() {
        let summary = FinalizeSummary {
            report: Some("out.csv".into()),
            reasons: vec!["3 legacy rows".into(), "1 conflict".into()],
            elapsed: Duration::from_secs(61),
            ..FinalizeSummary::default()
        };
        let expected = "\
REFUSED: nothing was deleted

  report  out.csv
  fenced  no: new legacy paths can still be written
  time    1 min 1 s

Why:
  3 legacy rows
  1 conflict

Next: avatarMigrate verify --report out.csv    (lists what stands in the way)
";
        assert_eq!(finalize_text(&summary, Paint::Plain), expected);
    }
}
