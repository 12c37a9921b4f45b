//! What `copy` did, for a person.

use indicatif::{HumanBytes, HumanCount};

use super::sheet::{Figure, Problem, Sheet, Tone, names, requests};
use super::{Paint, part};
use crate::report::summary::{CopySummary, DatabaseForecast, Forecast, StillWritten, Watched, amount};
use crate::report::text::{counted, duration};

/// What moved, what is left and why, and the next command.
#[must_use]
pub fn copy_text(summary: &CopySummary, paint: Paint) -> String {
    let mut sheet = match &summary.forecast {
        Some(forecast) => dry_run(summary, forecast, paint),
        None => real_run(summary, paint),
    };
    let problems = problems(summary);
    let explained = problems.iter().any(|problem| problem.count > 0);
    sheet.problems("What cannot move, and what to do:", &problems);
    sheet.next(match (&summary.forecast, summary.work_is_left(), explained) {
        (Some(_), _, _) if nothing_can_move(summary) => "mend what is listed, then avatarMigrate copy",
        (Some(_), _, _) => "avatarMigrate copy",
        (None, true, false) => "avatarMigrate copy    (the rest was not reached or written meanwhile)",
        (None, true, true) => "avatarMigrate verify --report out.csv    (lists each of them), then copy again",
        (None, false, _) => "avatarMigrate verify --report out.csv",
    });
    sheet.finish()
}

fn nothing_can_move(summary: &CopySummary) -> bool {
    let objects = &summary.objects;
    objects.planned > 0 && objects.planned == objects.missing_source + objects.conflict
}

fn real_run(summary: &CopySummary, paint: Paint) -> Sheet {
    let CopySummary { rows, objects, .. } = summary;
    let moved = format!(
        "{} moved, {} copied ({}) in {}",
        counted(rows.updated, "row", "rows"),
        counted(objects.copied, "object", "objects"),
        HumanBytes(summary.bytes_copied),
        duration(summary.elapsed),
    );
    let (tone, word) = if summary.work_is_left() { (Tone::Warning, "WORK IS LEFT") } else { (Tone::Good, "DONE") };
    let mut sheet = Sheet::new(paint, tone, word, &moved);
    sheet.figures([
        Figure::always("rows planned", rows.planned),
        Figure::always("rows moved", rows.updated),
        Figure::always("rows left", rows.left),
        Figure::some("rows out of scope", rows.out_of_scope),
        Figure::always("objects planned", objects.planned),
        Figure::always("objects copied", objects.copied),
        Figure::some("objects already there", objects.already_there),
    ]);
    let run = summary.run.map(|run| format!("{run}, {}", counted(summary.passes, "pass", "passes")));
    let mut facts = vec![
        ("references", names(&summary.references)),
        ("run", run.unwrap_or_default()),
        ("requests", requests(summary.requests)),
    ];
    facts.extend(summary.shared.map(|shared| ("worker", part(shared))));
    sheet.facts(&facts);
    if let Some(watched) = &summary.watched {
        sheet.sentences("Written with legacy paths meanwhile:", &still_written(watched));
    }
    sheet
}

/// Who writes what has to be moved after it.
fn still_written(watched: &Watched) -> Vec<String> {
    let of = |column: &StillWritten| {
        let rows = counted(column.rows, "row", "rows");
        format!("{}  {rows}, {:.1} a minute", column.reference, column.per_minute)
    };
    let columns: Vec<String> = watched.written.iter().map(of).collect();
    let looks = counted(watched.looks, "look", "looks");
    let quiet = format!("none for {}, in {looks}", duration(watched.quiet));
    columns.into_iter().chain([quiet]).collect()
}

fn dry_run(summary: &CopySummary, forecast: &Forecast, paint: Paint) -> Sheet {
    let CopySummary { rows, objects, .. } = summary;
    let mut sheet = Sheet::new(paint, Tone::Good, "DRY RUN", "nothing was written; a real run would do this");
    sheet.figures([
        Figure::always("rows to move", rows.planned),
        Figure::some("rows out of scope", rows.out_of_scope),
        Figure::always("objects planned", objects.planned),
        Figure::some("objects already there", objects.already_there),
        Figure::of("bytes to copy", HumanBytes(forecast.bytes)),
        Figure::of("requests", HumanCount(forecast.requests)),
        Figure::some("  list", forecast.by_type.list),
        Figure::some("  head", forecast.by_type.head),
        Figure::some("  get", forecast.by_type.get),
        Figure::some("  put", forecast.by_type.put),
        Figure::some("  copy", forecast.by_type.copy),
        Figure::some("  delete", forecast.by_type.delete),
        Figure::of("time", format!("about {}", duration(forecast.elapsed))),
        Figure::of("price", price(forecast.cost_usd)),
    ]);
    sheet.facts(&[
        ("references", names(&summary.references)),
        ("prices", forecast.prices.clone()),
        ("time", "a rough guess: it depends on the server and the way to it".to_owned()),
    ]);
    if forecast.database.at_once.rows > 0 {
        sheet.facts(&weight(&forecast.database));
    }
    sheet.sentences("Before the rows move:", &forecast.database.advice);
    sheet
}

/// What the rows take of the database. The other size of a transaction is told where it makes a difference.
fn weight(database: &DatabaseForecast) -> [(&'static str, String); 3] {
    let DatabaseForecast { binlog_bytes, ledger_bytes, at_once, piece, pieces, in_pieces, .. } = database;
    let several = format!("{} times {}", HumanCount(*pieces), piece.sentence());
    let (transaction, other) = match (in_pieces, *pieces > 1) {
        (true, true) => (several, format!("without --transaction-rows it would be {}", at_once.sentence())),
        (false, true) => (at_once.sentence(), format!("--transaction-rows {} would be {several}", piece.rows)),
        (_, false) => (at_once.sentence(), String::new()),
    };
    let in_all = format!("binary log {}, ledger {}", amount(*binlog_bytes), amount(*ledger_bytes));
    [("transaction", transaction), ("or else", other), ("in all", in_all)]
}

fn problems(summary: &CopySummary) -> [Problem; 6] {
    let CopySummary { rows, objects, .. } = summary;
    let problem = |count, one, many, advice| Problem { count, one, many, advice };
    [
        problem(
            rows.suspect,
            "suspect row",
            "suspect rows",
            "in a form that no mapping covers: correct the path, or add a mapping",
        ),
        problem(
            rows.conflict,
            "row in conflict",
            "rows in conflict",
            "the target holds other bytes, or the schema forbids the new path: see the log",
        ),
        problem(
            objects.missing_source,
            "missing source",
            "missing sources",
            "the legacy bucket has no such object: restore it, or correct the rows",
        ),
        problem(
            objects.conflict,
            "object in conflict",
            "objects in conflict",
            "the production bucket holds other bytes there: avatarMigrate resolve KEY --keep source|target",
        ),
        problem(
            objects.source_changed,
            "changed source",
            "changed sources",
            "written while its rows moved, the old object is kept: compare the two",
        ),
        problem(objects.failed, "failed copy", "failed copies", "the log says why; copy again"),
    ]
}

fn price(dollars: f64) -> String {
    if dollars > 0.0 && dollars < 0.01 { "under $0.01".to_owned() } else { format!("${dollars:.2}") }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::report::summary::{CopyObjects, CopyRows, Requests, TransactionForecast};

    fn done() -> CopySummary {
        CopySummary {
            run: Some(7),
            references: vec!["avatars.path".into(), "users.\u{1b}[2Jpicture".into()],
            rows: CopyRows { planned: 1_200, updated: 1_200, out_of_scope: 12, ..CopyRows::default() },
            objects: CopyObjects { planned: 1_150, copied: 1_100, already_there: 50, ..CopyObjects::default() },
            bytes_copied: 3 << 30,
            requests: Requests { list: 12, copy: 1_100, ..Requests::default() },
            passes: 2,
            elapsed: Duration::from_secs(125),
            forecast: None,
            watched: None,
            shared: None,
        }
    }

    #[test]
    fn everything_moved() {
        let expected = "\
DONE: 1,200 rows moved, 1,100 objects copied (3.00 GiB) in 2 min 5 s

  rows planned           1,200
  rows moved             1,200
  rows left                  0
  rows out of scope         12
  objects planned        1,150
  objects copied         1,100
  objects already there     50

  references  avatars.path, users.\\u{1b}[2Jpicture
  run         7, 2 passes
  requests    12 list, 1,100 copy

Next: avatarMigrate verify --report out.csv
";
        assert_eq!(copy_text(&done(), Paint::Plain), expected);
    }

    #[test]
    fn what_is_left_is_explained() {
        let mut summary = done();
        summary.rows = CopyRows { planned: 1_200, updated: 1_180, left: 20, suspect: 1, ..CopyRows::default() };
        summary.objects.missing_source = 19;
        let text = copy_text(&summary, Paint::Plain);
        let expected = "
What cannot move, and what to do:
  1 suspect row       in a form that no mapping covers: correct the path, or add a mapping
  19 missing sources  the legacy bucket has no such object: restore it, or correct the rows

Next: avatarMigrate verify --report out.csv    (lists each of them), then copy again
";
        assert!(text.starts_with("WORK IS LEFT: 1,180 rows moved"), "{text}");
        assert!(text.ends_with(expected), "{text}");
    }

    #[test]
    fn rows_left_without_a_problem_are_for_the_next_run() {
        let rows = CopyRows { planned: 9, updated: 5, left: 4, ..CopyRows::default() };
        let text = copy_text(&CopySummary { rows, ..done() }, Paint::Plain);
        assert!(text.starts_with("WORK IS LEFT"), "{text}");
        assert!(text.contains("\nNext: avatarMigrate copy    (the rest"), "{text}");
    }

    #[test]
    fn a_dry_run_forecasts() {
        let forecast = Forecast {
            requests: 1_112,
            bytes: 3 << 30,
            elapsed: Duration::from_secs(60),
            cost_usd: 0.005_5,
            by_type: Requests { list: 12, copy: 1_100, ..Requests::default() },
            database: DatabaseForecast {
                binlog_bytes: Some(5 << 20),
                at_once: TransactionForecast {
                    rows: 1_200,
                    binlog_bytes: Some(3 << 20),
                    ..TransactionForecast::default()
                },
                piece: TransactionForecast { rows: 500, binlog_bytes: Some(1 << 20), ..TransactionForecast::default() },
                pieces: 3,
                advice: vec!["mind the gap".to_owned()],
                ..DatabaseForecast::default()
            },
            prices: "as given".to_owned(),
        };
        let summary = CopySummary {
            run: None,
            references: vec!["avatars.path".into()],
            rows: CopyRows { planned: 1_200, left: 1_200, ..CopyRows::default() },
            forecast: Some(forecast),
            ..done()
        };
        let expected = "\
DRY RUN: nothing was written; a real run would do this

  rows to move                 1,200
  objects planned              1,150
  objects already there           50
  bytes to copy             3.00 GiB
  requests                     1,112
    list                          12
    copy                       1,100
  time                   about 1 min
  price                  under $0.01

  references  avatars.path
  prices      as given
  time        a rough guess: it depends on the server and the way to it

  transaction  1,200 rows at once: less than a second; binary log 3.00 MiB, undo unknown, redo unknown, locks unknown
  or else      --transaction-rows 500 would be 3 times 500 rows at once: less than a second; binary log 1.00 MiB, undo unknown, redo unknown, locks unknown
  in all       binary log 5.00 MiB, ledger unknown

Before the rows move:
  mind the gap

Next: avatarMigrate copy
";
        assert_eq!(copy_text(&summary, Paint::Plain), expected);
    }

    #[test]
    fn colours_only_where_asked_for() {
        assert!(!copy_text(&done(), Paint::Plain).contains('\u{1b}'));
        let colored = copy_text(&done(), Paint::Colored);
        assert!(colored.starts_with("\u{1b}[32m\u{1b}[1mDONE\u{1b}[0m: "), "{colored:?}");
        assert_eq!(console::strip_ansi_codes(&colored), copy_text(&done(), Paint::Plain));
    }
}
