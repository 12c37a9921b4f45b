//! Evidence that the workers of a shared finalize hand to each other, by the ledger of their run.

use anyhow::{Context, Result};

use super::spool::{record, restored};
use super::{Deletable, EvidenceSpool};
use crate::database::{Crew, KeyRange, MayWrite, SharedSource, Waiting};
use crate::path::ObjectKey;

/// Evidence that goes to the ledger at a time.
const BATCH: usize = 1000;

/// The evidence of one run, for as long as it deletes. Nothing but [`Deletable`] goes in, so that what comes out is evidence
/// again; as another process has made it, both sides are looked at before a delete.
#[derive(Clone, Copy, Debug)]
pub struct SharedEvidence<'a>(&'a Crew);

impl<'a> SharedEvidence<'a> {
    /// That of a crew.
    #[must_use]
    pub fn of(crew: &'a Crew) -> Self {
        Self(crew)
    }

    /// Leaves evidence for the others.
    ///
    /// # Errors
    /// If the right is lost, or the ledger cannot be written.
    pub async fn put(&self, right: &impl MayWrite, evidence: &[Deletable]) -> Result<()> {
        let shared = evidence.iter().filter_map(|evidence| shared(evidence).transpose());
        self.0.put_sources(right, &shared.collect::<Result<Vec<SharedSource>>>()?).await
    }

    /// Leaves all of a spool for the others.
    ///
    /// # Errors
    /// As [`put`](Self::put), or if the spool cannot be read.
    pub async fn put_all(&self, right: &impl MayWrite, spool: EvidenceSpool) -> Result<()> {
        let mut evidence = spool.read()?;
        loop {
            let batch = evidence.by_ref().take(BATCH).collect::<Result<Vec<Deletable>>>()?;
            if batch.is_empty() {
                return Ok(());
            }
            self.put(right, &batch).await?;
        }
    }

    /// The next evidence of a range, in key order, with its key.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub async fn page(&self, range: &KeyRange, limit: usize) -> Result<Vec<(ObjectKey, Deletable)>> {
        let page = self.0.sources(Waiting::Deletable, range, limit).await?;
        let evidence = |source: SharedSource| {
            let record = serde_json::from_str(&source.detail).context("the ledger holds damaged evidence")?;
            Ok((source.key, restored(record)?))
        };
        page.into_iter().map(evidence).collect()
    }
}

/// As it stands in the ledger; none for a source that is gone already.
fn shared(evidence: &Deletable) -> Result<Option<SharedSource>> {
    let Some(item) = evidence.item() else { return Ok(None) };
    let detail = serde_json::to_string(&record(evidence))?;
    Ok(Some(SharedSource { key: item.key, waiting: Waiting::Deletable, detail }))
}
