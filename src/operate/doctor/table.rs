//! The lines as a table for a person, within 80 columns.

use console::{Style, measure_text_width};

use super::{Check, DoctorSummary, Side, Status};
use crate::report::human::Paint;
use crate::report::text::{counted, duration, printable};

const WIDTH: usize = 80;
/// Where the text of a line begins: behind status and name.
const INDENT: usize = 28;

/// The verdict, then a block for each side, then what to do next.
#[must_use]
pub fn doctor_text(summary: &DoctorSummary, paint: Paint) -> String {
    let mut text = verdict(summary, paint);
    for side in [Side::Machine, Side::Source, Side::Target, Side::Database] {
        let of_side: Vec<&Check> = summary.checks.iter().filter(|check| check.side == side).collect();
        if of_side.is_empty() {
            continue;
        }
        text.push_str(&format!("\n{}\n", painted(&Style::new().bold(), title(side), paint)));
        for check in of_side {
            text.push_str(&line(check, paint));
        }
    }
    text.push_str(&format!("\nNext: {}\n", painted(&Style::new().cyan(), next(summary), paint)));
    text
}

fn verdict(summary: &DoctorSummary, paint: Paint) -> String {
    if let Some(policy) = &summary.policy {
        let (bucket, ours, others) = (printable(&policy.bucket), policy.attached.len(), policy.kept);
        let done = painted(&style(Status::Pass).bold(), "DONE", paint);
        return format!("{done}: the policy of {bucket} holds {ours} statements of this program and {others} others\n");
    }
    let (failed, warned) = (summary.count(Status::Fail), summary.count(Status::Warn));
    let (status, word) = match (failed, warned) {
        (0, 0) => (Status::Pass, "READY"),
        (0, _) => (Status::Warn, "READY, WITH WARNINGS"),
        (_, _) => (Status::Fail, "NOT READY"),
    };
    let count = |count: usize, one, many| counted(u64::try_from(count).unwrap_or(u64::MAX), one, many);
    format!(
        "{}: {}, {}, {} in {}\n",
        painted(&style(status).bold(), word, paint),
        count(failed, "failure", "failures"),
        count(warned, "warning", "warnings"),
        count(summary.checks.len(), "check", "checks"),
        duration(summary.elapsed)
    )
}

fn next(summary: &DoctorSummary) -> &'static str {
    if summary.count(Status::Fail) > 0 {
        "mend what failed, then avatarMigrate doctor"
    } else if summary.policy.is_some() {
        "avatarMigrate doctor, as the identity that copies"
    } else {
        "avatarMigrate copy --dry-run"
    }
}

fn title(side: Side) -> &'static str {
    match side {
        Side::Machine => "This machine",
        Side::Source => "Legacy bucket",
        Side::Target => "Production bucket",
        Side::Database => "Database",
    }
}

fn line(check: &Check, paint: Paint) -> String {
    let word = match check.status {
        Status::Pass => "pass",
        Status::Warn => "WARN",
        Status::Fail => "FAIL",
    };
    let mut text = format!("  {}  {:<20}", painted(&style(check.status), word, paint), check.name);
    text.push_str(&wrapped(&check.found, INDENT));
    text.push('\n');
    if let Some(advice) = &check.advice {
        let arrow = painted(&Style::new().cyan(), "->", paint);
        text.push_str(&format!("{:width$}{arrow} {}\n", "", wrapped(advice, INDENT + 3), width = INDENT));
    }
    text
}

/// The text in lines that end before the width does, all but the first indented. A word that is too long stays whole, as
/// it may have to be copied.
fn wrapped(text: &str, indent: usize) -> String {
    let mut lines = String::new();
    let mut column = indent;
    for word in text.split(' ') {
        let width = measure_text_width(word);
        if column > indent && column + 1 + width > WIDTH {
            lines.push_str(&format!("\n{:indent$}", ""));
            column = indent;
        } else if column > indent {
            lines.push(' ');
            column += 1;
        }
        lines.push_str(word);
        column += width;
    }
    lines
}

fn style(status: Status) -> Style {
    match status {
        Status::Pass => Style::new().green(),
        Status::Warn => Style::new().yellow(),
        Status::Fail => Style::new().red(),
    }
}

fn painted(style: &Style, text: &str, paint: Paint) -> String {
    style.clone().force_styling(paint == Paint::Colored).apply_to(text).to_string()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn summary(checks: Vec<Check>) -> DoctorSummary {
        DoctorSummary { checks, elapsed: Duration::from_millis(1_300), ..DoctorSummary::default() }
    }

    #[test]
    fn every_line_fits_a_terminal_and_says_what_to_do() {
        let checks = vec![
            Check::pass("reach", Side::Source, "listed below image/"),
            Check::fail(
                "conditional delete",
                Side::Source,
                "the server ignores conditions on deletes: finalize refuses",
                "stop writers to the legacy bucket before finalize, and give it --unconditional-delete",
            ),
            Check::warn("run lock", Side::Database, "held by \u{1b}[2Jsomebody", "wait"),
        ];
        let expected = "\
NOT READY: 1 failure, 1 warning, 3 checks in 1.3 s

Legacy bucket
  pass  reach               listed below image/
  FAIL  conditional delete  the server ignores conditions on deletes: finalize
                            refuses
                            -> stop writers to the legacy bucket before
                               finalize, and give it --unconditional-delete

Database
  WARN  run lock            held by \\u{1b}[2Jsomebody
                            -> wait

Next: mend what failed, then avatarMigrate doctor
";
        let text = doctor_text(&summary(checks), Paint::Plain);
        assert_eq!(text, expected);
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH));
    }

    #[test]
    fn colours_carry_no_meaning_of_their_own() {
        let checks = vec![Check::warn("clock", Side::Target, "late", "set it")];
        let colored = doctor_text(&summary(checks.clone()), Paint::Colored);
        assert!(colored.contains('\u{1b}'));
        assert_eq!(console::strip_ansi_codes(&colored), doctor_text(&summary(checks), Paint::Plain));
    }

    #[test]
    fn a_word_that_must_be_copied_stays_whole() {
        let long = "x".repeat(90);
        let text =
            doctor_text(&summary(vec![Check::warn("ledger", Side::Database, "none", long.clone())]), Paint::Plain);
        assert!(text.contains(&long), "{text}");
    }
}
