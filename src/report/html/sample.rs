//! Which twins a page shows side by side: a few that are the same, a few that differ. The same report gives the same ones.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use crate::finding::{Finding, Status};
use crate::path::{ETag, ObjectKey};

/// A larger object is not shown. Whole objects are shown and nothing is scaled, so that what is seen is what is stored.
pub const PICTURE_BYTES_MAX: u64 = 256 << 10;
/// How many twins with equal content are shown.
const SAME: usize = 12;
/// How many that differ.
const DIFFERING: usize = 6;

/// An object of one bucket as the finding has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Side {
    /// The key.
    pub key: ObjectKey,
    /// The ETag that it had.
    pub etag: ETag,
}

/// Twins to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sampled {
    /// The ending.
    pub status: Status,
    /// In the legacy bucket; `None` if it is gone.
    pub source: Option<Side>,
    /// In the production bucket.
    pub target: Side,
}

/// Twins by lot, drawn by the hash of their key: from all over the report, and in flat memory.
#[derive(Clone, Debug, Default)]
pub(super) struct Sample {
    same: BTreeMap<Lot, Sampled>,
    differing: BTreeMap<Lot, Sampled>,
}

/// Twins of which both are there come before those whose source is gone: they show more.
type Lot = (bool, [u8; 32]);

impl Sample {
    /// Whether these are to be shown; `size` is that of the twins, where they are the same.
    pub(super) fn consider(&mut self, finding: &Finding, size: u64) {
        let source = side(finding.source_key.as_ref(), finding.source_etag.as_ref());
        let Some(target) = side(finding.target_key.as_ref(), finding.target_etag.as_ref()) else { return };
        let (kept, most) = if finding.status.is_dispute() {
            (&mut self.differing, DIFFERING)
        } else if finding.proof.is_some() && (1..=PICTURE_BYTES_MAX).contains(&size) {
            (&mut self.same, SAME)
        } else {
            return;
        };
        let lot = (source.is_none(), Sha256::digest(target.key.as_str()).into());
        kept.insert(lot, Sampled { status: finding.status, source, target });
        if kept.len() > most {
            kept.pop_last();
        }
    }

    /// Those that differ, then those that are the same.
    pub(super) fn chosen(&self) -> Vec<Sampled> {
        self.differing.values().chain(self.same.values()).cloned().collect()
    }
}

fn side(key: Option<&ObjectKey>, etag: Option<&ETag>) -> Option<Side> {
    Some(Side { key: key?.clone(), etag: etag?.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Proof;

    fn finding(number: usize, status: Status) -> Finding {
        Finding {
            source_key: ObjectKey::new(format!("image/avatar-{number}.png")).ok(),
            target_key: ObjectKey::new(format!("avatar/avatar-{number}.png")).ok(),
            source_etag: Some(ETag::new("a")),
            target_etag: Some(ETag::new("a")),
            proof: Some(Proof::ETag),
            ..Finding::new(status, "")
        }
    }

    fn keys(sample: &Sample) -> Vec<String> {
        sample.chosen().into_iter().map(|twins| twins.target.key.as_str().to_owned()).collect()
    }

    #[test]
    fn the_order_of_the_report_does_not_matter_and_the_number_is_bounded() {
        let (mut forward, mut backward) = (Sample::default(), Sample::default());
        for number in 0..500 {
            forward.consider(&finding(number, Status::Migrated), 100);
            backward.consider(&finding(499 - number, Status::Migrated), 100);
            forward.consider(&finding(number + 1000, Status::Conflict), u64::MAX);
            backward.consider(&finding(1499 - number, Status::Conflict), u64::MAX);
        }
        assert_eq!(keys(&forward), keys(&backward));
        assert_eq!(keys(&forward).len(), SAME + DIFFERING);
        assert!(forward.chosen().iter().take(DIFFERING).all(|twins| twins.status == Status::Conflict));
    }

    #[test]
    fn twins_that_are_both_there_come_first() {
        let mut sample = Sample::default();
        for number in 0..40 {
            let gone = Finding { source_etag: None, ..finding(number, Status::Migrated) };
            sample.consider(&gone, 100);
        }
        sample.consider(&finding(77, Status::Migrated), 100);
        let chosen = sample.chosen();
        assert_eq!(chosen.len(), SAME);
        assert_eq!(chosen[0].target.key.as_str(), "avatar/avatar-77.png");
        assert!(chosen[0].source.is_some() && chosen[1].source.is_none());
    }

    #[test]
    fn what_cannot_be_shown_is_not_chosen() {
        let mut sample = Sample::default();
        sample.consider(&finding(1, Status::Migrated), PICTURE_BYTES_MAX + 1);
        sample.consider(&finding(2, Status::Migrated), 0);
        sample.consider(&Finding { proof: None, ..finding(3, Status::Migrated) }, 9);
        sample.consider(&Finding { target_etag: None, ..finding(4, Status::MissingTarget) }, 9);
        sample.consider(&Finding { proof: None, ..finding(5, Status::Superseded) }, 9);
        assert_eq!(keys(&sample), [""; 0]);
    }
}
