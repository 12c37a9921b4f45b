//! Cutting an object into the parts of a multipart upload.

/// From what size on objects are copied in parts, and how large a part is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartSizes {
    /// Objects larger than this many bytes are copied in parts.
    pub threshold: u64,
    /// Bytes of a part; it grows where an object would have more than 10,000 of them.
    pub part_size: u64,
}

/// One part: its number from 1 on, and its first and last byte in the object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) number: i32,
    pub(super) first: u64,
    pub(super) last: u64,
}

impl PartSizes {
    /// How many parts an object of `size` bytes has.
    #[must_use]
    pub fn count(self, size: u64) -> u64 {
        size.div_ceil(self.length(size))
    }

    fn length(self, size: u64) -> u64 {
        self.part_size.max(size.div_ceil(PARTS_MAX)).max(1)
    }

    /// The parts of an object of `size` bytes, in order; none for an empty object, which needs no parts.
    pub(super) fn cut(self, size: u64) -> impl Iterator<Item = Part> + Send {
        let length = self.length(size);
        (1..).zip(0..self.count(size)).map(move |(number, index)| {
            let first = index * length;
            Part { number, first, last: (first + length).min(size) - 1 }
        })
    }
}

impl Part {
    /// The part as a range of HTTP, both ends included (RFC 9110, section 14.1.2).
    pub(super) fn range(self) -> String {
        format!("bytes={}-{}", self.first, self.last)
    }

    /// Its size in bytes.
    pub(super) fn size(self) -> u64 {
        self.last - self.first + 1
    }
}

/// AWS: "Amazon S3 multipart upload limits".
const PARTS_MAX: u64 = 10_000;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_last_part_is_what_is_left() {
        let sizes = PartSizes { threshold: 0, part_size: 4 };
        let ranges: Vec<String> = sizes.cut(10).map(Part::range).collect();
        assert_eq!(ranges, ["bytes=0-3", "bytes=4-7", "bytes=8-9"]);
        assert_eq!(sizes.cut(0).count(), 0);
    }

    proptest! {
        #[test]
        fn parts_cover_the_object_without_gaps(size in 1_u64..100_000_000_000_000, part_size in 0_u64..10_000_000_000) {
            let part_size = part_size.max(size / 20_000);
            let parts: Vec<Part> = PartSizes { threshold: 0, part_size }.cut(size).collect();
            prop_assert!(parts.len() <= 10_000);
            prop_assert_eq!(parts.first().map(|part| (part.number, part.first)), Some((1, 0)));
            prop_assert_eq!(parts.last().map(|part| part.last), Some(size - 1));
            for (one, two) in parts.iter().zip(parts.iter().skip(1)) {
                prop_assert_eq!((two.number, two.first), (one.number + 1, one.last + 1));
            }
        }
    }
}
