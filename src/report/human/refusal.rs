//! Why a command did not start or stopped at a gate, for a person.

use super::Paint;
use super::sheet::{Sheet, Tone};
use crate::report::summary::{LockHeld, Refusal};
use crate::report::text::printable;

/// What a safety gate refused, and why.
#[must_use]
pub fn refusal_text(refusal: &Refusal, paint: Paint) -> String {
    let sentence = format!("{} did not delete or roll back anything", printable(&refusal.command));
    let mut sheet = Sheet::new(paint, Tone::Bad, "REFUSED", &sentence);
    sheet.sentences("Why:", &refusal.refused);
    sheet.finish()
}

/// Who holds the lock.
#[must_use]
pub fn locked_text(held: &LockHeld, paint: Paint) -> String {
    let sentence = format!("{} did not start, another run works on this schema", printable(&held.command));
    let mut sheet = Sheet::new(paint, Tone::Warning, "LOCKED", &sentence);
    match &held.locked_by {
        Some(holder) => sheet.facts(&[
            ("host", printable(&holder.host)),
            ("pid", holder.pid.to_string()),
            ("since", printable(&holder.since)),
        ]),
        None => {
            sheet.sentences("Who:", &["it left no name; SHOW PROCESSLIST on the database names its host".to_owned()])
        }
    }
    sheet.next("wait for it, or see avatarMigrate status");
    sheet.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::summary::LockHolder;

    #[test]
    fn a_refusal_gives_its_reasons() {
        let refusal = Refusal::new("finalize", vec!["the listing of legacy-s3 is incomplete".to_owned()]);
        let expected = "\
REFUSED: finalize did not delete or roll back anything

Why:
  the listing of legacy-s3 is incomplete
";
        assert_eq!(refusal_text(&refusal, Paint::Plain), expected);
    }

    #[test]
    fn a_held_lock_names_its_holder() {
        let holder = LockHolder { host: "db1\u{1b}".to_owned(), pid: 42, since: "2026-01-02 03:04:05".to_owned() };
        let held = LockHeld { command: "copy".to_owned(), locked_by: Some(holder) };
        let expected = "\
LOCKED: copy did not start, another run works on this schema

  host   db1\\u{1b}
  pid    42
  since  2026-01-02 03:04:05

Next: wait for it, or see avatarMigrate status
";
        assert_eq!(locked_text(&held, Paint::Plain), expected);
        let unknown = locked_text(&LockHeld { locked_by: None, ..held }, Paint::Plain);
        assert!(unknown.contains("\nWho:\n  it left no name"), "{unknown}");
    }
}
