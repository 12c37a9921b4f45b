//! Evidence that the workers of a shared finalize hand to each other, by the ledger of their run.

use anyhow::{Context, Result};

use super::Deletable;
use super::spool::{record, restored};
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
    /// If the right is lost, the ledger cannot be written, or the evidence not be read.
    pub async fn put(&self, right: &impl MayWrite, evidence: impl Iterator<Item = Result<Deletable>>) -> Result<()> {
        let mut evidence = evidence.map(|evidence| shared(&evidence?)).filter_map(Result::transpose);
        loop {
            let batch = evidence.by_ref().take(BATCH).collect::<Result<Vec<SharedSource>>>()?;
            if batch.is_empty() {
                return Ok(());
            }
            self.0.put_sources(right, &batch).await?;
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
