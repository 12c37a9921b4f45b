//! Where to cut a range of keys in two, told from the keys that were seen so far: guesses, which no result rests on.
//!
//! Between two keys lies the middle of a number whose digits are the characters that keys had at each position, with the
//! rest of their kind: who has seen a `3` expects a `7`. What a wrong guess costs is one request.

use crate::copy::common_prefix;
use crate::path::ObjectKey;

/// Positions that are looked at, from the start of the listed prefix on.
const POSITIONS: usize = 128;
/// The largest number that positions may make.
const NUMBER_MAX: u128 = 1 << 100;

/// Which ASCII characters were seen at each position after the prefix, a bit each.
#[derive(Debug, Default)]
pub(super) struct Letters {
    skipped: usize,
    seen: Vec<u128>,
}

/// What lies before a range, and where it ends at the latest.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span<'a> {
    /// The first key that it showed.
    pub(super) first: &'a str,
    /// The last one so far.
    pub(super) last: &'a str,
    /// What it goes no further than.
    pub(super) ceiling: &'a str,
}

impl Letters {
    /// Those of keys below a prefix of so many bytes.
    pub(super) fn below(prefix: &str) -> Self {
        Self { skipped: prefix.len(), seen: Vec::new() }
    }

    /// Takes note of a key.
    pub(super) fn note(&mut self, key: &ObjectKey) {
        let rest = key.as_str().as_bytes().get(self.skipped..).unwrap_or_default();
        for (position, byte) in rest.iter().take(POSITIONS).enumerate() {
            if self.seen.len() <= position {
                self.seen.resize(position + 1, 0);
            }
            if let Some(seen) = self.seen.get_mut(position).filter(|_| byte.is_ascii()) {
                *seen |= 1 << *byte;
            }
        }
    }

    /// What may stand at a position of the key, in order.
    fn at(&self, position: usize) -> Vec<u8> {
        let seen = position.checked_sub(self.skipped).and_then(|position| self.seen.get(position)).copied();
        let seen = seen.unwrap_or_default();
        let has = |byte: u8| seen & (1 << byte) != 0;
        let any = |from: u8, to: u8| (from..=to).filter(|byte| has(*byte)).count();
        let filled = |byte: u8| match byte {
            b'0'..=b'9' => any(b'0', b'9') > 0,
            b'a'..=b'f' => any(b'a', b'z') > 1,
            b'g'..=b'z' => any(b'a', b'z') > 1 && any(b'g', b'z') > 0,
            b'A'..=b'F' => any(b'A', b'Z') > 1,
            b'G'..=b'Z' => any(b'A', b'Z') > 1 && any(b'G', b'Z') > 0,
            _ => false,
        };
        (0..128).filter(|byte| has(*byte) || filled(*byte)).collect()
    }

    /// About how many times as much as was shown is still to come.
    pub(super) fn still_to_come(&self, span: Span<'_>) -> f64 {
        let scale = Scale::of(self, span);
        let [first, last, ceiling] = [span.first, span.last, span.ceiling].map(|key| scale.number(key));
        let (shown, left) = (last.saturating_sub(first), ceiling.saturating_sub(last));
        if shown == 0 && left > 0 { f64::MAX } else { float(left) / float(shown.max(1)) }
    }

    /// A text in the middle of what is still to come.
    pub(super) fn middle(&self, span: Span<'_>) -> Option<ObjectKey> {
        let scale = Scale::of(self, span);
        let (last, ceiling) = (scale.number(span.last), scale.number(span.ceiling));
        let middle = scale.text(last + ceiling.checked_sub(last)? / 2);
        let within = *middle > *span.last && *middle < *span.ceiling;
        ObjectKey::new(middle).ok().filter(|_| within)
    }
}

/// Where there is no ceiling: what comes after everything that begins as all keys did so far.
pub(super) fn beyond(first: &str, last: &str) -> Option<ObjectKey> {
    let beyond = format!("{}~", common_prefix(first, last));
    let further = *beyond > *last;
    ObjectKey::new(beyond).ok().filter(|_| further)
}

/// Texts with a common beginning as numbers.
struct Scale<'a> {
    common: &'a str,
    /// What may stand at each position after that; 0 is the end of the text, and one more than all of them what comes after.
    digits: Vec<Vec<u8>>,
}

impl<'a> Scale<'a> {
    fn of(letters: &Letters, span: Span<'a>) -> Self {
        let common = common_prefix(span.first, span.ceiling);
        let mut most: u128 = 1;
        let positions = (common.len()..).map(|position| letters.at(position));
        let fitting = positions.take_while(|digits| {
            most = most.saturating_mul(digits.len() as u128 + 2);
            most < NUMBER_MAX
        });
        Self { common, digits: fitting.take(POSITIONS / 2).collect() }
    }

    fn number(&self, text: &str) -> u128 {
        let mut rest = text.as_bytes().iter().skip(self.common.len());
        self.digits.iter().fold(0, |number, digits| {
            let digit = rest.next().map_or(0, |byte| digits.partition_point(|digit| digit < byte) + 1);
            number * (digits.len() as u128 + 2) + digit as u128
        })
    }

    fn text(&self, mut number: u128) -> String {
        let mut text = Vec::new();
        for digits in self.digits.iter().rev() {
            let radix = digits.len() as u128 + 2;
            text.push((digits, usize::try_from(number % radix).unwrap_or_default()));
            number /= radix;
        }
        let given = text.into_iter().rev().map_while(|(digits, digit)| {
            let at = digit.checked_sub(1)?;
            Some(digits.get(at).map_or('~', |byte| char::from(*byte)))
        });
        self.common.chars().chain(given).collect()
    }
}

#[expect(clippy::cast_precision_loss, reason = "an estimate")]
fn float(number: u128) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letters(keys: &[&str]) -> Letters {
        let mut letters = Letters::below("image/");
        keys.iter().for_each(|key| letters.note(&ObjectKey::new(*key).expect("a key")));
        letters
    }

    #[test]
    fn the_middle_is_one_of_the_characters_to_expect() {
        let seen = letters(&["image/avatar-0.png", "image/avatar-13.png"]);
        let span = Span { first: "image/avatar-0.png", last: "image/avatar-13.png", ceiling: "image/avatar-~" };
        let middle = seen.middle(span).expect("a middle");
        assert!(("image/avatar-5".."image/avatar-7").contains(&middle.as_str()), "{middle}");
        assert!((2.0..20.0).contains(&seen.still_to_come(span)), "{}", seen.still_to_come(span));
        let hexadecimal = letters(&["image/00", "image/0f", "image/a0", "image/b0"]);
        let span = Span { first: "image/00", last: "image/0f", ceiling: "image/~" };
        assert!(hexadecimal.middle(span).is_some_and(|key| "image/7" < key.as_str() && key.as_str() < "image/a"));
    }

    #[test]
    fn nothing_lies_between_neighbours() {
        let seen = letters(&["image/a", "image/b"]);
        for (last, ceiling) in [("image/b", "image/b"), ("image/b", "image/a"), ("image/\u{e4}", "image/\u{e5}")] {
            assert_eq!(seen.middle(Span { first: last, last, ceiling }), None, "{last} {ceiling}");
        }
    }

    #[test]
    fn without_a_ceiling_it_goes_beyond_what_all_have_in_common() {
        let key = |text: &str| ObjectKey::new(text).ok();
        assert_eq!(beyond("image/avatar-100", "image/avatar-109"), key("image/avatar-10~"));
        assert_eq!(beyond("image/a", "image/ä"), None);
    }
}
