//! Cells that a spreadsheet would run as a formula, made harmless in a way that can be undone exactly.

use std::borrow::Cow;

/// Puts an apostrophe before a cell that begins with a formula's first character. A cell that begins like the result of
/// this, apostrophes and then such a character, gets one more, so that no two cells become the same.
pub(super) fn defuse(cell: &str) -> Cow<'_, str> {
    if is_explosive(cell) { Cow::Owned(format!("'{cell}")) } else { Cow::Borrowed(cell) }
}

/// Undoes [`defuse`].
pub(super) fn restore(cell: &str) -> &str {
    cell.strip_prefix('\'').filter(|rest| is_explosive(rest)).unwrap_or(cell)
}

/// Besides `= + - @`: the white space that spreadsheets skip before looking, and the full-width twins that they accept
/// in some languages (OWASP, "CSV Injection").
fn is_explosive(cell: &str) -> bool {
    let first = cell.trim_start_matches('\'').chars().next();
    first.is_some_and(|first| matches!(first, '=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '＝' | '＋' | '－' | '＠'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn formulas_get_an_apostrophe_and_lose_it_again() {
        for (cell, defused) in [
            ("", ""),
            ("image/avatar-1.png", "image/avatar-1.png"),
            ("a=1", "a=1"),
            ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
            ("+1", "'+1"),
            ("-5", "'-5"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "'\t=1"),
            ("\r=1", "'\r=1"),
            ("＝1", "'＝1"),
            ("'", "'"),
            ("'quoted'", "'quoted'"),
            ("'=1", "''=1"),
            ("''=1", "'''=1"),
        ] {
            assert_eq!(defuse(cell), defused);
            assert_eq!(restore(defused), cell);
        }
    }

    proptest! {
        #[test]
        fn restoring_is_the_inverse(cell in "'{0,3}[=+\\-@\t\r＝a]?.{0,3}") {
            let defused = defuse(&cell);
            prop_assert_eq!(restore(&defused), &cell);
            prop_assert!(!defused.starts_with(['=', '+', '-', '@', '\t', '\r']));
        }
    }
}
