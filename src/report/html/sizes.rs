//! How large the objects are, counted in powers of two: as many numbers for a billion objects as for one.

use std::ops::RangeInclusive;

/// Zero, and a bucket for each power of two that 64 bits hold.
const BUCKETS: usize = 65;

/// The sizes of objects.
#[derive(Clone, Debug)]
pub(super) struct Sizes {
    buckets: [u64; BUCKETS],
    bytes: u128,
    least: u64,
    most: u64,
}

impl Default for Sizes {
    fn default() -> Self {
        Self { buckets: [0; BUCKETS], bytes: 0, least: u64::MAX, most: 0 }
    }
}

impl Sizes {
    pub(super) fn add(&mut self, size: u64) {
        if let Some(count) = self.buckets.get_mut(bucket(size)) {
            *count += 1;
        }
        self.bytes += u128::from(size);
        self.least = self.least.min(size);
        self.most = self.most.max(size);
    }

    pub(super) fn objects(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// All of them together.
    pub(super) fn bytes(&self) -> u64 {
        u64::try_from(self.bytes).unwrap_or(u64::MAX)
    }

    /// The smallest and the largest; `None` if there is no object.
    pub(super) fn range(&self) -> Option<(u64, u64)> {
        (self.objects() > 0).then_some((self.least, self.most))
    }

    /// From the smallest to the largest, with the empty ones in between: which sizes, and how many objects.
    pub(super) fn bars(&self) -> Vec<(RangeInclusive<u64>, u64)> {
        let Some((least, most)) = self.range() else { return Vec::new() };
        (bucket(least)..=bucket(most)).map(|at| (span(at), self.buckets.get(at).copied().unwrap_or_default())).collect()
    }
}

fn bucket(size: u64) -> usize {
    // At most 64.
    (u64::BITS - size.leading_zeros()) as usize
}

fn span(bucket: usize) -> RangeInclusive<u64> {
    match u32::try_from(bucket).unwrap_or(u64::BITS) {
        0 => 0..=0,
        power => 1 << (power - 1)..=u64::MAX >> (u64::BITS - power),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_size_has_its_bucket() {
        for size in [0, 1, 2, 3, 4, 1023, 1024, u64::MAX / 2, u64::MAX] {
            assert!(span(bucket(size)).contains(&size), "{size}");
        }
        for at in 1..BUCKETS {
            assert_eq!(span(at - 1).end() + 1, *span(at).start(), "{at}");
        }
    }

    #[test]
    fn bars_reach_from_the_smallest_to_the_largest() {
        let mut sizes = Sizes::default();
        assert_eq!((sizes.bars(), sizes.range()), (Vec::new(), None));
        for size in [1500, 1600, 300, 5000] {
            sizes.add(size);
        }
        assert_eq!(
            sizes.bars(),
            [(256..=511, 1), (512..=1023, 0), (1024..=2047, 2), (2048..=4095, 0), (4096..=8191, 1)]
        );
        assert_eq!((sizes.objects(), sizes.bytes(), sizes.range()), (4, 8400, Some((300, 5000))));
        sizes.add(u64::MAX);
        sizes.add(u64::MAX);
        assert_eq!(sizes.bytes(), u64::MAX);
    }
}
