//! What the verify of a finalize leaves to do: evidence to delete by, orphans to copy, sources to keep.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Result;

use crate::check::{Deletable, EvidenceSpool};
use crate::config::{Config, FinalizeOptions, Orphans};
use crate::path::{ETag, ObjectKey};
use crate::spool::Spool;
use crate::store::ObjectInfo;
use crate::verify::Kept;

/// Sources sorted by what is to become of them.
#[derive(Debug)]
pub struct Collected {
    /// Sources that can go.
    pub evidence: EvidenceSpool,
    /// Keys of orphans that are to be copied first, with the ETags that they were listed with.
    pub orphans: Spool<(String, String)>,
    /// Sources that stay on purpose.
    pub kept: u64,
    /// Orphans that stay because they are young.
    pub young: u64,
    /// Sources that stay because of a problem.
    pub problems: u64,
    orphans_stay: bool,
    superseded_go: bool,
    young_from_ms: i64,
}

impl Collected {
    /// Nothing yet.
    ///
    /// # Errors
    /// If no temporary file can be made.
    pub fn new(config: &Config, options: &FinalizeOptions) -> Result<Self> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        let oldest_young = now.saturating_sub(options.orphan_min_age);
        Ok(Self {
            evidence: EvidenceSpool::new(&config.temp_dir)?,
            orphans: Spool::new(&config.temp_dir)?,
            kept: 0,
            young: 0,
            problems: 0,
            orphans_stay: options.orphans == Some(Orphans::Keep),
            superseded_go: options.delete_superseded,
            young_from_ms: i64::try_from(oldest_young.as_millis()).unwrap_or(i64::MAX),
        })
    }

    /// Evidence that a source can go; an orphan comes with its object.
    ///
    /// # Errors
    /// If the disk is full.
    pub fn deletable(&mut self, evidence: &Deletable, orphan: Option<&ObjectInfo>) -> Result<()> {
        if orphan.is_some_and(|source| !self.may_go(source)) {
            return Ok(());
        }
        match evidence {
            Deletable::Superseded(_) if !self.superseded_go => {
                self.kept += 1;
                Ok(())
            }
            Deletable::Superseded(_) | Deletable::Twin(_) => self.evidence.push(evidence),
        }
    }

    /// An orphan without a copy.
    ///
    /// # Errors
    /// If the disk is full.
    pub fn orphan(&mut self, source: &ObjectInfo) -> Result<()> {
        if self.may_go(source) {
            self.orphans.push(&(source.key.as_str().to_owned(), source.etag.as_str().to_owned()))
        } else {
            Ok(())
        }
    }

    /// Whether an orphan may be copied and deleted: not if orphans stay, and not while it is young, as the application
    /// uploads an object before it writes the row that names it.
    fn may_go(&mut self, source: &ObjectInfo) -> bool {
        let young = source.modified_ms > self.young_from_ms;
        self.kept += u64::from(young || self.orphans_stay);
        self.young += u64::from(young && !self.orphans_stay);
        !young && !self.orphans_stay
    }

    /// Orphans that were written after they were listed stay: they are young again.
    pub fn written_again(&mut self, orphans: u64) {
        self.kept += orphans;
        self.young += orphans;
    }

    /// A source that stays.
    pub fn kept(&mut self, why: Kept) {
        self.kept += 1;
        match why {
            Kept::Problem => self.problems += 1,
            Kept::DeletedByApplication | Kept::NamedElsewhere => {}
        }
    }

    /// Takes the orphans out, to be copied.
    ///
    /// # Errors
    /// If the temporary file cannot be read or made anew.
    pub fn take_orphans(&mut self, config: &Config) -> Result<impl Iterator<Item = Result<(ObjectKey, ETag)>> + use<>> {
        let orphans = std::mem::replace(&mut self.orphans, Spool::new(&config.temp_dir)?);
        Ok(orphans.read()?.map(|orphan| {
            let (key, etag) = orphan?;
            Ok((ObjectKey::new(key)?, ETag::new(&etag)))
        }))
    }
}
