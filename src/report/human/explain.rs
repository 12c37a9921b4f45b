//! What is known of one key or path, for a person.

use super::Paint;
use super::sheet::{Sheet, Tone, requests};
use crate::report::summary::{ExplainSummary, ExplainedRow, Recorded, ResolvedObject, RowMove};
use crate::report::text::{counted, duration, printable};

/// The verdict, both objects, the rows, what the ledger knows, and what to do next.
#[must_use]
pub fn explain_text(summary: &ExplainSummary, paint: Paint) -> String {
    let tone = if summary.next.is_empty() { Tone::Good } else { Tone::Warning };
    let word = summary.status.as_ref().unwrap_or(&summary.class).replace('_', " ").to_uppercase();
    let mut sheet = Sheet::new(paint, tone, &word, &printable(&summary.why));
    let object = |key: &Option<String>, object: &Option<ResolvedObject>| match (key, object) {
        (_, Some(object)) => object.line(),
        (Some(key), None) => format!("{}, does not exist", printable(key)),
        (None, None) => String::new(),
    };
    sheet.facts(&[
        ("asked about", format!("{} ({})", printable(&summary.given), summary.class.replace('_', " "))),
        ("legacy object", object(&summary.source_key, &summary.source)),
        ("production object", object(&summary.target_key, &summary.target)),
        ("ledger", summary.recorded.as_ref().map(recorded).unwrap_or_default()),
        ("requests", requests(summary.requests)),
        ("time", duration(summary.elapsed)),
    ]);
    sheet.sentences(&rows_title(summary), &summary.rows.iter().map(row).collect::<Vec<_>>());
    match &summary.moves {
        Some(moves) => {
            sheet.sentences("Moved before, the last ones first:", &moves.iter().map(moved).collect::<Vec<_>>());
        }
        None => sheet.sentences("Moved before:", &["the journal is too long to be searched here".to_owned()]),
    }
    if !summary.next.is_empty() {
        sheet.next(&printable(&summary.next));
    }
    sheet.finish()
}

fn rows_title(summary: &ExplainSummary) -> String {
    let shown = u64::try_from(summary.rows.len()).unwrap_or_default();
    let rows = counted(summary.rows_total, "row", "rows");
    if shown < summary.rows_total { format!("{rows}, the first {shown}:") } else { format!("{rows}:") }
}

fn row(row: &ExplainedRow) -> String {
    let place = format!("{}.{} {}", row.table, row.column, row.primary_key);
    let said = match &row.status {
        Some(status) => format!("{status}, {}", row.detail),
        None => "in a column that is left out of the migration, or only this text".to_owned(),
    };
    format!("{}  {}  {said}", place.trim_end(), row.value)
}

fn recorded(recorded: &Recorded) -> String {
    let Recorded { state, run, name, at, detail } = recorded;
    let by = if name.is_empty() { format!("run {run}") } else { format!("run {run}, {name} of {at}") };
    let detail = if detail.is_empty() { String::new() } else { format!(": {detail}") };
    printable(&format!("{} ({by}){detail}", state.replace('_', " ")))
}

fn moved(moved: &RowMove) -> String {
    let back = moved.undone_by.map(|run| format!(", put back by run {run}")).unwrap_or_default();
    let place = format!("{}.{} {}", moved.table, moved.column, moved.primary_key);
    format!("{}  {}  {} -> {}, run {}{back}", moved.at, place.trim_end(), moved.old, moved.new, moved.run)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_unknown_is_left_out_and_hostile_names_are_harmless() {
        let row = ExplainedRow { value: "a\u{1b}[2J".to_owned(), ..ExplainedRow::default() };
        let summary = ExplainSummary {
            class: "out_of_scope".to_owned(),
            given: "a\u{1b}".to_owned(),
            rows: vec![row],
            rows_total: 3,
            moves: Some(Vec::new()),
            ..ExplainSummary::default()
        };
        let text = explain_text(&summary, Paint::Plain);
        assert!(text.starts_with("OUT OF SCOPE:\n\n  asked about  a\\u{1b} (out of scope)\n"), "{text}");
        assert!(text.contains("3 rows, the first 1:\n") && text.contains("a\\u{1b}[2J"), "{text}");
        for absent in ["object", "ledger", "Moved", "Next"] {
            assert!(!text.contains(absent), "{absent}: {text}");
        }
    }
}
