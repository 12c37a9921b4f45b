//! How many pages a look at a window takes, and which keys it shows: `crate::copy`'s look, played on positions alone.

use crate::copy::is_too_sparse;
use crate::store::PAGE_KEYS;

/// Where a key stands among the keys of its bucket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Standing {
    /// How many keys there are up to this one, itself included if it is there.
    pub(super) upto: u64,
    /// Whether it is there itself.
    pub(super) there: bool,
}

/// A look at some keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Look {
    /// The pages that were listed.
    pub(super) pages: u64,
    /// The position after the last one that was listed.
    end: u64,
}

impl Look {
    /// At keys in ascending order.
    pub(super) fn at(wanted: &[Standing]) -> Self {
        let (Some(first), Some(last)) = (wanted.first(), wanted.last()) else { return Self { pages: 0, end: 0 } };
        let begin = if first.there { first.upto } else { first.upto + 1 };
        let mut there: Vec<u64> = wanted.iter().filter(|key| key.there).map(|key| key.upto).collect();
        there.sort_unstable();
        let (mut pages, mut end) = (0, begin);
        loop {
            pages += 1;
            end += u64::from(PAGE_KEYS);
            let seen = there.partition_point(|position| *position < end);
            if end > last.upto || seen == wanted.len() || is_too_sparse(pages, seen) {
                return Self { pages: u64::try_from(pages).unwrap_or(u64::MAX), end };
            }
        }
    }

    /// Whether it shows this one of its keys.
    pub(super) fn shows(self, key: Standing) -> bool {
        key.there && key.upto < self.end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn there(positions: impl IntoIterator<Item = u64>) -> Vec<Standing> {
        positions.into_iter().map(|upto| Standing { upto, there: true }).collect()
    }

    fn pages_and_shown(wanted: &[Standing]) -> (u64, usize) {
        let look = Look::at(wanted);
        (look.pages, wanted.iter().filter(|key| look.shows(**key)).count())
    }

    #[test]
    fn a_dense_window_takes_a_page_a_thousand_keys() {
        assert_eq!(pages_and_shown(&[]), (0, 0));
        assert_eq!(pages_and_shown(&there(5001..=6000)), (1, 1000));
        assert_eq!(pages_and_shown(&there((0..1000).map(|n| 7 + n * 2))), (2, 1000));
        assert_eq!(pages_and_shown(&there((1..=999).chain([1001]))), (2, 1000));
    }

    #[test]
    fn a_sparse_window_is_given_up() {
        // A page shows its first key, the second one nothing more: two pages for one key are too many.
        assert_eq!(pages_and_shown(&there((0..100).map(|n| 1 + n * 5000))), (2, 1));
        // One a page is not too sparse.
        assert_eq!(pages_and_shown(&there((0..100).map(|n| 1 + n * 1000))), (100, 100));
    }

    #[test]
    fn keys_that_are_not_there_take_one_page_and_are_not_shown() {
        let absent = [Standing { upto: 17, there: false }, Standing { upto: 80_000, there: false }];
        assert_eq!(pages_and_shown(&absent), (1, 0));
        let mixed = [Standing { upto: 17, there: false }, Standing { upto: 18, there: true }];
        assert_eq!(pages_and_shown(&mixed), (1, 1));
    }
}
