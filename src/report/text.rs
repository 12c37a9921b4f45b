//! Text for a person: hostile names made harmless, numbers and durations made readable.

use std::fmt::Write as _;
use std::time::Duration;

use indicatif::HumanCount;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};

/// Makes visible what would steer a terminal or hide in a line: control characters (the line feed included), marks of
/// writing direction, and characters without width. `\u{1b}` stands for ESC. For every key, path and name shown.
#[must_use]
pub fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if deceives(character) {
            shown.extend(character.escape_unicode());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// The same for a finished JSON text, which keeps its meaning: `\u009b` for a control character that JSON allows as it is.
#[must_use]
pub fn printable_json(json: &str) -> String {
    let mut shown = String::with_capacity(json.len());
    for character in json.chars() {
        if deceives(character) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                // Writing to a String cannot fail.
                write!(shown, "\\u{unit:04x}").unwrap_or_default();
            }
        } else {
            shown.push(character);
        }
    }
    shown
}

/// The same for a line of a log, whose colours stay.
#[must_use]
pub fn printable_line(line: &str) -> String {
    let mut shown = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        let parameters = after.trim_start_matches(|letter: char| letter.is_ascii_digit() || letter == ';');
        let Some(next) = parameters.strip_prefix('m') else {
            let end = rest.len() - after.len();
            shown.push_str(&printable(rest.get(..end).unwrap_or(rest)));
            rest = after;
            continue;
        };
        shown.push_str(&printable(before));
        shown.push_str(rest.get(before.len()..rest.len() - next.len()).unwrap_or_default());
        rest = next;
    }
    shown.push_str(&printable(rest));
    shown
}

fn deceives(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{feff}' // soft hyphen, Arabic mark, marks without width
            | '\u{200b}'..='\u{200f}' // no width, left-to-right and right-to-left marks
            | '\u{2028}'..='\u{202e}' // line and paragraph separators, embeddings and overrides of direction
            | '\u{2060}'..='\u{206f}' // invisible operators, isolates of direction
            | '\u{fff9}'..='\u{fffb}' // annotations
            | '\u{e0000}'..='\u{e007f}' // tags
        )
}

/// A duration as a person says it: two units at most.
#[must_use]
pub fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    let with = |first: String, second: u64, unit: &str| match second {
        0 => first,
        _ => format!("{first} {second} {unit}"),
    };
    match (days, hours, minutes) {
        (0, 0, 0) if seconds < 10 => format!("{seconds}.{} s", duration.subsec_millis() / 100),
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => with(format!("{minutes} min"), seconds % 60, "s"),
        (0, _, _) => with(format!("{hours} h"), minutes, "min"),
        (_, _, _) => with(format!("{} d", HumanCount(days)), hours, "h"),
    }
}

/// The moment by this machine's clock, to the microsecond: `2026-01-31T23:59:59.000000Z`.
#[must_use]
pub fn utc_now() -> String {
    let mut now = String::new();
    // Writing to a String cannot fail.
    SystemTime.format_time(&mut Writer::new(&mut now)).unwrap_or_default();
    now
}

/// A number with its noun: `1 row`, `1,234 rows`.
#[must_use]
pub fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", HumanCount(number), if number == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_would_steer_a_terminal_becomes_visible() {
        for (hostile, shown) in [
            ("image/avatar-1.png", "image/avatar-1.png"),
            ("grüße/头像 👍.png", "grüße/头像 👍.png"),
            ("\u{1b}[2J", "\\u{1b}[2J"),
            ("a\nb\r\tc", "a\\u{a}b\\u{d}\\u{9}c"),
            ("\u{9b}31m\u{7f}\0", "\\u{9b}31m\\u{7f}\\u{0}"),
            ("gnp\u{202e}.exe", "gnp\\u{202e}.exe"),
            ("\u{202a}\u{2066}\u{2069}\u{200f}", "\\u{202a}\\u{2066}\\u{2069}\\u{200f}"),
            ("\u{200b}\u{feff}\u{2028}\u{e0041}", "\\u{200b}\\u{feff}\\u{2028}\\u{e0041}"),
        ] {
            assert_eq!(printable(hostile), shown);
        }
    }

    proptest! {
        #[test]
        fn nothing_that_deceives_is_left(text in any::<String>()) {
            let shown = printable(&text);
            prop_assert!(!shown.chars().any(deceives));
            prop_assert_eq!(printable(&shown), shown.clone());
            prop_assert!(printable_line(&text).len() <= shown.len());
            let json = printable_json(&serde_json::to_string(&text).expect("JSON"));
            prop_assert!(!json.chars().any(deceives));
            prop_assert_eq!(serde_json::from_str::<String>(&json).expect("JSON"), text);
        }
    }

    #[test]
    fn json_keeps_its_meaning_and_a_line_its_colours() {
        let hostile = "\u{9b}31m\u{7f}\u{202e}\u{e0041}\n\u{1b}[2J \"\\";
        let json = printable_json(&serde_json::to_string(hostile).expect("JSON"));
        assert!(!json.chars().any(deceives), "{json}");
        assert_eq!(serde_json::from_str::<String>(&json).expect("JSON"), hostile);
        for (line, shown) in [
            ("\u{1b}[33m WARN\u{1b}[0m \u{1b}[1;2mx", "\u{1b}[33m WARN\u{1b}[0m \u{1b}[1;2mx"),
            ("a\u{1b}[2Jb\u{1b}[mc", "a\\u{1b}[2Jb\u{1b}[mc"),
            ("\u{1b}]0;x\u{7}\n\u{1b}[", "\\u{1b}]0;x\\u{7}\\u{a}\\u{1b}["),
        ] {
            assert_eq!(printable_line(line), shown);
        }
    }

    #[test]
    fn durations_have_two_units_at_most() {
        for (milliseconds, text) in [
            (0, "0.0 s"),
            (420, "0.4 s"),
            (9_999, "9.9 s"),
            (10_000, "10 s"),
            (60_000, "1 min"),
            (125_000, "2 min 5 s"),
            (3_725_000, "1 h 2 min"),
            (90_000_000, "1 d 1 h"),
        ] {
            assert_eq!(duration(Duration::from_millis(milliseconds)), text);
        }
    }

    #[test]
    fn a_number_has_its_noun() {
        assert_eq!(counted(1, "row", "rows"), "1 row");
        assert_eq!(counted(0, "row", "rows"), "0 rows");
        assert_eq!(counted(1_234_567, "row", "rows"), "1,234,567 rows");
    }
}
