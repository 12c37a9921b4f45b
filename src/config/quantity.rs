//! Numbers with units: durations such as `1h30m` and sizes such as `512MiB`.

use std::time::Duration;

use super::ConfigError;

const DURATION_UNITS: [(&str, u64); 5] = [("s", 1), ("m", 60), ("h", 3_600), ("d", 86_400), ("w", 604_800)];

const SIZE_UNITS: [(&str, u64); 9] = [
    ("b", 1),
    ("kb", 1_000),
    ("mb", 1_000_000),
    ("gb", 1_000_000_000),
    ("tb", 1_000_000_000_000),
    ("kib", 1 << 10),
    ("mib", 1 << 20),
    ("gib", 1 << 30),
    ("tib", 1 << 40),
];

/// Reads `90s`, `10m`, `1h30m`, `2d`; only zero needs no unit.
pub(super) fn duration(text: &str) -> Result<Duration, ConfigError> {
    let wrong = || {
        ConfigError::new(format!("`{text}` is not a duration"))
            .hint("write numbers with the units s, m, h, d or w, for example 90s, 10m, 1h30m or 2d")
    };
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let mut rest = text;
    let mut seconds: u64 = 0;
    while let Some((number, after)) = leading_number(rest) {
        let length = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
        let (unit, next) = after.split_at(length);
        let factor = unit_factor(&DURATION_UNITS, unit).ok_or_else(wrong)?;
        seconds = number.checked_mul(factor).and_then(|part| seconds.checked_add(part)).ok_or_else(wrong)?;
        rest = next;
    }
    if rest.is_empty() && !text.is_empty() { Ok(Duration::from_secs(seconds)) } else { Err(wrong()) }
}

/// Reads a number of bytes: `5368709120`, `5GB` (powers of 1,000) or `5GiB` (powers of 1,024).
pub(super) fn size(text: &str) -> Result<u64, ConfigError> {
    let wrong = || {
        ConfigError::new(format!("`{text}` is not a size"))
            .hint("write bytes, or a number with a unit, for example 536870912, 5GB or 512MiB")
    };
    let (number, unit) = leading_number(text).ok_or_else(wrong)?;
    let unit = unit.trim().to_ascii_lowercase();
    let factor = if unit.is_empty() { Some(1) } else { unit_factor(&SIZE_UNITS, &unit) };
    factor.and_then(|factor| number.checked_mul(factor)).ok_or_else(wrong)
}

/// Reads an amount of dollars, fractions of a cent included.
pub(super) fn dollars(text: &str) -> Result<f64, ConfigError> {
    let amount = text.parse::<f64>().ok().filter(|amount| amount.is_finite() && *amount >= 0.0);
    amount.ok_or_else(|| {
        ConfigError::new(format!("`{text}` is not a price")).hint("write US dollars as a number, for example 0.005")
    })
}

/// The digits at the start as a number, and what follows them.
fn leading_number(text: &str) -> Option<(u64, &str)> {
    let (digits, rest) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    digits.parse().ok().map(|number| (number, rest))
}

fn unit_factor(units: &[(&str, u64)], unit: &str) -> Option<u64> {
    units.iter().find(|(name, _)| *name == unit).map(|(_, factor)| *factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units() {
        let cases =
            [("0", 0), ("0s", 0), ("90s", 90), ("10m", 600), ("24h", 86_400), ("1h30m", 5_400), ("2d", 172_800)];
        for (text, seconds) in cases {
            assert_eq!(duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in
            ["", "10", "s", "1x", "-1s", "1.5h", "1h30", "1h 30m", "99999999999999999999s", "99999999999999999w"]
        {
            assert_eq!(duration(text).expect_err(text).message, format!("`{text}` is not a duration"));
        }
    }

    #[test]
    fn prices_are_numbers_from_zero_on() {
        assert_eq!((dollars("0.0004"), dollars("0")), (Ok(0.0004), Ok(0.0)));
        for text in ["", "$5", "-1", "inf", "NaN", "1e999"] {
            assert_eq!(dollars(text).expect_err(text).message, format!("`{text}` is not a price"));
        }
    }

    #[test]
    fn sizes_know_both_kinds_of_units() {
        let cases =
            [("0", 0), ("7", 7), ("5GB", 5_000_000_000), ("5GiB", 5 << 30), ("512MiB", 512 << 20), ("1 kB", 1_000)];
        for (text, bytes) in cases {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        for text in ["", "GB", "5XB", "1.5GB", "-1", "99999999TiB"] {
            assert_eq!(size(text).expect_err(text).message, format!("`{text}` is not a size"));
        }
    }
}
