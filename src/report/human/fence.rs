//! The fence, for a person: as SQL to run, or what was set up or taken away.

use indicatif::{BinaryBytes, HumanCount};

use super::Paint;
use super::sheet::{Sheet, Tone};
use crate::report::summary::{FenceForecast, FenceSummary};
use crate::report::text::{counted, duration, printable};

/// The SQL of what is missing with comments for who runs it, or how the fence stands after a change.
#[must_use]
pub fn fence_text(summary: &FenceSummary, paint: Paint) -> String {
    if summary.run.is_none() { script(summary) } else { changed(summary, paint) }
}

impl FenceForecast {
    /// What setting up constraints means, in one sentence without its stop.
    #[must_use]
    pub fn sentence(&self) -> String {
        format!(
            "The tables are copied (about {} rows, {}, perhaps {} at 2 s a million rows); writers wait meanwhile",
            HumanCount(self.rows),
            BinaryBytes(self.bytes),
            duration(self.elapsed)
        )
    }
}

fn script(summary: &FenceSummary) -> String {
    let mut lines = Vec::new();
    for reference in &summary.references {
        let state = match (&reference.fenced_by, reference.legacy_rows) {
            (Some(kind), _) => format!("fenced already ({kind})"),
            (None, 0) => "not fenced".to_owned(),
            (None, rows) => format!("not fenced; {} left, run copy first", counted(rows, "legacy row", "legacy rows")),
        };
        lines.push(format!("-- {}: {state}", printable(&reference.reference)));
    }
    if summary.references.is_empty() {
        lines.push("-- no column of the schema holds a legacy or a modern path: nothing to fence".to_owned());
    }
    lines.extend(summary.forecast.iter().map(|forecast| format!("-- {}", forecast.sentence())));
    // The client of MariaDB would cut a trigger at the first semicolon.
    let triggers = summary.statements.iter().any(|statement| statement.starts_with("CREATE "));
    let end = if triggers { "$$" } else { ";" };
    lines.extend(triggers.then(|| "DELIMITER $$".to_owned()));
    lines.extend(summary.statements.iter().map(|statement| format!("{statement}{end}")));
    lines.extend(triggers.then(|| "DELIMITER ;".to_owned()));
    lines.join("\n") + "\n"
}

fn changed(summary: &FenceSummary, paint: Paint) -> String {
    let (done, few) = (!summary.changed.is_empty(), !summary.fenced);
    let mut sheet = match (summary.dropped, done) {
        (true, true) => Sheet::new(paint, Tone::Good, "FENCE TAKEN AWAY", "legacy paths can be written again"),
        (true, false) => Sheet::new(paint, Tone::Good, "NO FENCE", "there was none of these settings to take away"),
        (false, _) if few => Sheet::new(paint, Tone::Warning, "NOT FENCED", "legacy paths can still be written"),
        (false, true) => Sheet::new(paint, Tone::Good, "FENCED", "the database refuses legacy paths from now on"),
        (false, false) => Sheet::new(paint, Tone::Good, "FENCED", "the fence stands already; nothing was changed"),
    };
    let references = summary.references.iter().map(|reference| {
        let kind = reference.fenced_by.as_deref().unwrap_or("not fenced");
        ("reference", format!("{} ({kind})", printable(&reference.reference)))
    });
    let run = summary.run.map(|run| run.to_string()).unwrap_or_default();
    sheet.facts(&references.chain([("run", run), ("time", duration(summary.elapsed))]).collect::<Vec<_>>());
    if !summary.dropped {
        sheet.next(if few { "avatarMigrate copy, then avatarMigrate fence --apply" } else { "avatarMigrate finalize" });
    }
    sheet.finish()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::report::summary::FencedReference;

    fn reference(fenced_by: Option<&str>, legacy_rows: u64) -> FencedReference {
        FencedReference { reference: "avatars.path".to_owned(), fenced_by: fenced_by.map(str::to_owned), legacy_rows }
    }

    #[test]
    fn what_is_printed_is_sql() {
        let forecast = FenceForecast { rows: 1_000_000, bytes: 3 << 20, elapsed: Duration::from_secs(2) };
        let summary = FenceSummary {
            references: vec![reference(None, 1_200)],
            statements: vec!["ALTER TABLE t\n  ADD …".to_owned()],
            forecast: Some(forecast),
            ..FenceSummary::default()
        };
        let expected = "\
-- avatars.path: not fenced; 1,200 legacy rows left, run copy first
-- The tables are copied (about 1,000,000 rows, 3.00 MiB, perhaps 2.0 s at 2 s a million rows); writers wait meanwhile
ALTER TABLE t
  ADD …;
";
        assert_eq!(fence_text(&summary, Paint::Plain), expected);
        let triggers = FenceSummary { statements: vec!["CREATE TRIGGER a".to_owned()], ..FenceSummary::default() };
        assert!(fence_text(&triggers, Paint::Plain).ends_with("DELIMITER $$\nCREATE TRIGGER a$$\nDELIMITER ;\n"));
    }

    #[test]
    fn what_was_changed_is_said() {
        let fenced = FenceSummary {
            run: Some(3),
            fenced: true,
            references: vec![reference(Some("check"), 0)],
            changed: vec!["avatars.path".to_owned()],
            ..FenceSummary::default()
        };
        let text = fence_text(&fenced, Paint::Plain);
        assert!(text.starts_with("FENCED: the database refuses legacy paths from now on\n"), "{text}");
        assert!(text.contains("avatars.path (check)") && text.contains("Next: avatarMigrate finalize"), "{text}");
        let dropped = FenceSummary { dropped: true, references: vec![reference(None, 0)], ..fenced };
        assert!(fence_text(&dropped, Paint::Plain).starts_with("FENCE TAKEN AWAY: "));
    }
}
