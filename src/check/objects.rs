//! The evidence for all objects whose rows are to move, kept in the ledger.

use anyhow::{Result, bail};

use super::{OwnCopy, Settled, VerifiedCopy, mark};
use crate::database::{Crew, Ledger, LedgerObject, MayWrite, ObjectMark, ObjectState, Progress, RunLock, Stage, Task};

/// Permission to move the rows of exactly those objects which this run's checks have marked in the ledger. It stands for
/// a set of [`VerifiedCopy`] that memory need not hold, borrows the right under which they were marked, and can only be filled
/// with such evidence. Rows move by one that borrows the lock; what a worker adds under the lease of a range is
/// [gathered](Self::gathered) by the holder of the lock.
#[derive(Debug)]
#[must_use]
pub struct VerifiedObjects<'right, R = RunLock> {
    right: &'right R,
    pass: u32,
    objects: u64,
}

impl<'right, R: MayWrite> VerifiedObjects<'right, R> {
    /// The empty set, for the rows of a pass.
    pub fn none(right: &'right R, pass: u32) -> Self {
        Self { right, pass, objects: 0 }
    }

    /// The same for objects that no row names by a legacy path, or whose rows have moved.
    pub fn without_rows(right: &'right R) -> Self {
        Self::none(right, 0)
    }

    /// Adds evidence: marks its objects verified in the ledger. `own` tells which copies this migration made itself.
    ///
    /// # Errors
    /// If the ledger cannot be written.
    pub async fn add(&mut self, ledger: &Ledger, copies: Vec<(VerifiedCopy, OwnCopy)>) -> Result<()> {
        let marks: Vec<ObjectMark> = copies.into_iter().map(|(copy, own)| mark(copy, own, self.pass)).collect();
        ledger.mark(self.right, &marks).await?;
        self.objects += u64::try_from(marks.len())?;
        Ok(())
    }

    /// Adds what a person has settled: the rows move to the target as it stands, with no proof of equal content.
    ///
    /// # Errors
    /// If the ledger cannot be written.
    pub async fn add_settled(&mut self, ledger: &Ledger, settled: Settled) -> Result<()> {
        let Settled { source, target, decided } = settled;
        let object = LedgerObject {
            source: source.key,
            target: target.key,
            state: ObjectState::Verified,
            source_etag: Some(source.etag),
            target_etag: Some(target.etag),
            own_copy: false,
            sha256: None,
            proof: None,
        };
        let mark = ObjectMark { object, size: Some(target.size), detail: decided, pass: self.pass };
        ledger.mark(self.right, &[mark]).await?;
        self.objects += 1;
        Ok(())
    }

    /// How many objects were added.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.objects
    }

    /// Whether none was added.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.objects == 0
    }

    /// The right under which the evidence is marked.
    #[must_use]
    pub fn right(&self) -> &'right R {
        self.right
    }
}

impl<'lock> VerifiedObjects<'lock> {
    /// What the workers of a shared run have added in all ranges of a pass, each under its lease.
    ///
    /// # Errors
    /// If a range is not done; the ledger cannot be read.
    pub async fn gathered(lock: &'lock RunLock, ledger: &Ledger, crew: &Crew, pass: u32) -> Result<Self> {
        for stage in [Stage::Copy, Stage::Look] {
            let Progress { ranges, done } = crew.progress(Task { stage, pass }).await?;
            if ranges == 0 || done < ranges {
                bail!("{done} of {ranges} ranges are done; run the command again: it continues");
            }
        }
        Ok(Self { right: lock, pass, objects: u64::from(ledger.has_verified(pass).await?) })
    }

    /// The lock under which rows move by this evidence.
    #[must_use]
    pub fn lock(&self) -> &'lock RunLock {
        self.right
    }
}
