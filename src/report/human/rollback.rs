//! What `rollback` did, for a person.

use super::Paint;
use super::sheet::{Figure, Problem, Sheet, Tone, requests};
use crate::report::summary::RollbackSummary;
use crate::report::text::{counted, duration};

/// What went back, what stayed and why, and the next command.
#[must_use]
pub fn rollback_text(summary: &RollbackSummary, paint: Paint) -> String {
    let mut sheet = verdict(summary, paint);
    let (rows, objects) = (&summary.rows, &summary.objects);
    if rows.planned == 0 {
        return sheet.finish();
    }
    sheet.figures([
        Figure::always("rows in the journal", rows.planned),
        Figure::always(if summary.dry_run { "rows to put back" } else { "rows put back" }, rows.restored),
        Figure::some("rows changed since", rows.changed),
        Figure::always("rows left", rows.left),
        Figure::some(if summary.dry_run { "objects to restore" } else { "objects restored" }, objects.restored),
        Figure::some("objects superseded", objects.superseded),
        Figure::some("objects missing", objects.missing),
        Figure::some("failed objects", objects.failed),
    ]);
    sheet.facts(&[
        ("run", summary.run.map(|run| run.to_string()).unwrap_or_default()),
        ("requests", requests(summary.requests)),
        ("time", duration(summary.elapsed)),
    ]);
    sheet.sentences("A real run would refuse:", &summary.reasons);
    sheet.problems("What did not go back, and what to do:", &problems(summary));
    if let Some(next) = next(summary) {
        sheet.next(next);
    }
    sheet.finish()
}

fn verdict(summary: &RollbackSummary, paint: Paint) -> Sheet {
    let rows = &summary.rows;
    if rows.planned == 0 {
        let sentence = "the journal knows no row that was changed and not put back";
        return Sheet::new(paint, Tone::Good, "NOTHING TO ROLL BACK", sentence);
    }
    if summary.dry_run {
        return Sheet::new(paint, Tone::Good, "DRY RUN", "nothing was written; a real run would do this");
    }
    let restored = counted(rows.restored, "row", "rows");
    let sentence = format!("{restored} put back in {}", duration(summary.elapsed));
    if summary.work_is_left() {
        Sheet::new(paint, Tone::Warning, "WORK IS LEFT", &sentence)
    } else {
        Sheet::new(paint, Tone::Good, "DONE", &sentence)
    }
}

fn next(summary: &RollbackSummary) -> Option<&'static str> {
    match (summary.dry_run, summary.work_is_left()) {
        (true, _) if summary.rows.restored == 0 => None,
        (true, _) => Some("avatarMigrate rollback"),
        (false, true) => Some("mend what is listed, then avatarMigrate rollback    (takes the rest)"),
        (false, false) => Some("avatarMigrate verify --report out.csv    (shows every row as legacy again)"),
    }
}

fn problems(summary: &RollbackSummary) -> [Problem; 8] {
    let (left, objects) = (&summary.left, &summary.objects);
    let problem = |count, one, many, advice| Problem { count, one, many, advice };
    [
        problem(
            summary.rows.changed,
            "row changed since",
            "rows changed since",
            "the application wrote or deleted it after the move: its value stands",
        ),
        problem(
            left.conflict,
            "row in conflict",
            "rows in conflict",
            "another row holds the old path in a unique key: remove one of the two",
        ),
        problem(
            left.ambiguous,
            "ambiguous row",
            "ambiguous rows",
            "no primary key, and not as many rows hold the path as were moved: correct by hand",
        ),
        problem(
            left.unreachable,
            "row out of reach",
            "rows out of reach",
            "table, column or key is not what it was: the log says which",
        ),
        problem(
            left.without_object,
            "row without object",
            "rows without object",
            "stays modern, as the legacy bucket has nothing to show for it",
        ),
        problem(
            objects.superseded,
            "superseded object",
            "superseded objects",
            "replaced in production since: copy it to the legacy bucket by hand if the old row is wanted",
        ),
        problem(
            objects.missing,
            "missing object",
            "missing objects",
            "not in the legacy bucket: --restore-objects copies back what production still holds",
        ),
        problem(objects.failed, "failed object", "failed objects", "could not be copied back: the log says why"),
    ]
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::report::summary::{Requests, RollbackLeft, RollbackObjects, RollbackRows};

    fn done() -> RollbackSummary {
        RollbackSummary {
            run: Some(9),
            rows: RollbackRows { planned: 1_200, restored: 1_198, changed: 2, left: 0 },
            requests: Requests { list: 4, ..Requests::default() },
            elapsed: Duration::from_millis(4_250),
            ..RollbackSummary::default()
        }
    }

    #[test]
    fn everything_went_back() {
        let expected = "\
DONE: 1,198 rows put back in 4.2 s

  rows in the journal  1,200
  rows put back        1,198
  rows changed since       2
  rows left                0

  run       9
  requests  4 list
  time      4.2 s

What did not go back, and what to do:
  2 rows changed since  the application wrote or deleted it after the move: its value stands

Next: avatarMigrate verify --report out.csv    (shows every row as legacy again)
";
        assert_eq!(rollback_text(&done(), Paint::Plain), expected);
    }

    #[test]
    fn what_stayed_is_explained() {
        let summary = RollbackSummary {
            rows: RollbackRows { planned: 5, restored: 2, changed: 0, left: 3 },
            objects: RollbackObjects { superseded: 1, ..RollbackObjects::default() },
            left: RollbackLeft { ambiguous: 2, without_object: 1, ..RollbackLeft::default() },
            ..done()
        };
        let text = rollback_text(&summary, Paint::Plain);
        assert!(text.starts_with("WORK IS LEFT: 2 rows put back"), "{text}");
        for part in ["2 ambiguous rows ", "1 row without object", "1 superseded object ", "Next: mend what is listed"] {
            assert!(text.contains(part), "{part} is missing in {text}");
        }
    }

    #[test]
    fn nothing_to_do_is_one_sentence() {
        let text = rollback_text(&RollbackSummary::default(), Paint::Plain);
        assert_eq!(text, "NOTHING TO ROLL BACK: the journal knows no row that was changed and not put back\n");
    }

    #[test]
    fn a_dry_run_says_why_a_real_one_would_refuse() {
        let summary = RollbackSummary {
            run: None,
            dry_run: true,
            rows: RollbackRows { planned: 5, restored: 2, changed: 0, left: 3 },
            reasons: vec!["3 objects are not in the legacy bucket".to_owned()],
            ..done()
        };
        let text = rollback_text(&summary, Paint::Plain);
        assert!(text.starts_with("DRY RUN: nothing was written"), "{text}");
        assert!(text.contains("\nA real run would refuse:\n  3 objects are not in the legacy bucket\n"), "{text}");
        assert!(!summary.work_is_left());
    }
}
