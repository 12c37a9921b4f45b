//! Lengths of bars: in thousandths of the longest, so that a bar needs neither scripts nor styles of its own.

/// The full length.
pub(super) const FULL: u64 = 1000;

/// How long the bar of `part` is where that of `whole` has the full length. What is there can be seen.
pub(super) fn length(part: u64, whole: u64) -> u64 {
    if part == 0 || whole == 0 {
        return 0;
    }
    let length = u128::from(part) * u128::from(FULL) / u128::from(whole);
    u64::try_from(length).unwrap_or(FULL).clamp(4, FULL)
}

/// Where a bar begins that is to be seen to its end.
pub(super) fn begin(part: u64, whole: u64, length: u64) -> u64 {
    let begin = u128::from(part) * u128::from(FULL) / u128::from(whole.max(1));
    u64::try_from(begin).unwrap_or(FULL).min(FULL - length.min(FULL))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_can_be_seen_and_nothing_is_longer_than_all() {
        assert_eq!(
            [length(0, 9), length(1, 1_000_000), length(5, 10), length(10, 10), length(3, 0)],
            [0, 4, 500, 1000, 0]
        );
        assert_eq!(length(u64::MAX, u64::MAX), FULL);
        assert_eq!([begin(0, 10, 100), begin(5, 10, 100), begin(10, 10, 4), begin(3, 0, 0)], [0, 500, 996, 1000]);
    }
}
