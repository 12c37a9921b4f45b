//! What one object costs: requests of its copy and of its check, as `crate::store` and `crate::check` make them.

use crate::config::{CheckMode, Method};
use crate::finding::Proof;
use crate::store::{PartSizes, Requests};

/// How objects are copied and checked.
#[derive(Clone, Copy, Debug)]
pub struct Way {
    /// How they are copied.
    pub method: Method,
    /// How they are compared.
    pub check: CheckMode,
    /// What is copied in parts.
    pub sizes: PartSizes,
}

/// Requests for sure, and those that depend on what no listing tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Cost {
    pub(super) sure: Requests,
    /// GETs for want of a stored checksum: of objects that are copied whole, and of those in parts.
    pub(super) without_checksum: [u64; 2],
    /// GETs for tags that there may be.
    pub(super) with_tags: u64,
}

impl std::ops::AddAssign for Cost {
    fn add_assign(&mut self, other: Self) {
        self.sure += other.sure;
        for (sum, more) in self.without_checksum.iter_mut().zip(other.without_checksum) {
            *sum += more;
        }
        self.with_tags += other.with_tags;
    }
}

impl Cost {
    pub(super) fn heads(head: u64) -> Self {
        Self { sure: Requests { head, ..Requests::default() }, ..Self::default() }
    }

    pub(super) fn lists(list: u64) -> Self {
        Self { sure: Requests { list, ..Requests::default() }, ..Self::default() }
    }
}

impl Way {
    /// Whether an object of this size is copied in parts.
    #[must_use]
    pub fn is_in_parts(self, size: u64) -> bool {
        size > self.sizes.threshold
    }

    /// Whether the ETags of source and copy will not prove equal content. `single` is whether the source's is of one part.
    #[must_use]
    pub fn is_doubtful(self, size: u64, single: bool) -> bool {
        self.check == CheckMode::Auto && (!single || self.is_in_parts(size))
    }

    /// One attempt at a copy.
    pub(super) fn copy(self, size: u64, single: bool) -> Cost {
        let parts = if self.is_in_parts(size) { self.sizes.count(size) } else { 0 };
        let frame = Requests { list: 1, put: 2, ..Requests::default() };
        let sure = match (self.method, parts) {
            (Method::Copy | Method::Sync, 0) => Requests { head: u64::from(!single), copy: 1, ..Requests::default() },
            (Method::Copy | Method::Sync, 1..) => Requests { head: 1, get: 1, copy: parts, ..frame },
            (Method::Stream, 0) => Requests { get: 1, put: 1, ..Requests::default() },
            (Method::Stream, 1..) => Requests { get: 1 + parts, put: 2 + parts, ..frame },
        };
        let with_tags = match self.method {
            Method::Copy | Method::Sync => 0,
            Method::Stream => 1,
        };
        Cost { sure, with_tags, ..Cost::default() }
    }

    /// The comparison of a source with its fresh copy, of whose bytes one side's SHA-256 is known if it was not copied in
    /// parts inside S3.
    pub(super) fn check_copy(self, size: u64, single: bool) -> Cost {
        if !self.is_doubtful(size, single) {
            return self.read_both(self.check.reads_all());
        }
        let without_checksum = match (self.is_in_parts(size), self.method) {
            (false, _) => [1, 0],
            (true, Method::Stream) => [0, 1],
            (true, Method::Copy | Method::Sync) => [0, 2],
        };
        Cost { without_checksum, ..Cost::heads(2) }
    }

    /// The comparison of twins that are there already. `None` for those that differ: stored checksums show most of them.
    pub(super) fn check_twins(self, proof: Option<Proof>) -> Cost {
        match (self.check, proof) {
            (CheckMode::Sha256, _) => self.read_both(true),
            (CheckMode::Auto, Some(Proof::ETag)) => Cost::default(),
            (CheckMode::Auto, Some(Proof::Checksum | Proof::Ledger) | None) => Cost::heads(2),
            (CheckMode::Auto, Some(Proof::Sha256)) => {
                let mut cost = Cost::heads(2);
                cost += self.read_both(true);
                cost
            }
        }
    }

    fn read_both(self, read: bool) -> Cost {
        Cost { sure: Requests { get: if read { 2 } else { 0 }, ..Requests::default() }, ..Cost::default() }
    }

    /// The trials of what the server enforces, and before them whether two names stand for one bucket.
    pub(super) fn canaries(self, shared_place: bool) -> Requests {
        let trial = Requests { list: 1, head: 3, put: 4, delete: 4, ..Requests::default() };
        let trial = match self.method {
            Method::Copy | Method::Sync => Requests { copy: 3, ..trial },
            Method::Stream => trial + Requests { head: 1, get: 3, put: 2, ..Requests::default() },
        };
        let same = Requests { list: 2, head: 1, put: 1, delete: 1, ..Requests::default() };
        trial + if shared_place { same } else { Requests::default() }
    }
}
