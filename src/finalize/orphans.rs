//! Orphans are copied and checked like any other object before their sources go.

use std::collections::HashMap;

use anyhow::Result;
use tokio_util::sync::CancellationToken;

use super::Collected;
use crate::check::{Deletable, OwnCopy, VerifiedCopy, VerifiedObjects};
use crate::config::Config;
use crate::copy::{Copying, Ending};
use crate::database::{Ledger, LedgerObject, ObjectState, RunLock};
use crate::failure::Failure;
use crate::path::{ETag, ObjectKey};
use crate::store::{CopyObjects, ReadObjects};

/// Orphans that are looked at together.
const WINDOW: usize = 1000;

/// How the copies of orphans ended.
#[derive(Clone, Debug, Default)]
pub struct OrphansCopied {
    /// Orphans that live in production now.
    pub copied: u64,
    /// Orphans that could not be copied, and the first reasons.
    pub failed: (u64, Vec<String>),
}

impl OrphansCopied {
    /// Counts one that could not be copied.
    pub fn failed(&mut self, source: &ObjectKey, why: &str) {
        self.failed.0 += 1;
        if self.failed.1.len() < 10 {
            self.failed.1.push(format!("orphan {source}: {why}"));
        }
    }
}

/// How the copy of one orphan ended.
#[derive(Debug)]
pub enum OrphanEnd {
    /// It lives in production now.
    Lives(VerifiedCopy, OwnCopy),
    /// Written again since it was listed: young, with a row that may be about to name it. The copy stays.
    WrittenAgain(VerifiedCopy, OwnCopy),
    /// It could not be copied, for this reason.
    Failed(ObjectKey, String),
    /// Gone since it was listed: nothing is left to delete.
    Gone,
}

/// Copies and checks the orphans that were collected; evidence for their sources joins the rest.
///
/// # Errors
/// If a bucket cannot be listed or the ledger cannot be written; [`Failure::Interrupted`].
pub async fn copy_orphans<R: ReadObjects, C: CopyObjects>(
    copying: &Copying<'_, R, C>,
    (lock, ledger, config): (&RunLock, &Ledger, &Config),
    collected: &mut Collected,
    stop: &CancellationToken,
    progress: impl Fn(),
) -> Result<OrphansCopied> {
    let mut total = OrphansCopied::default();
    let mut verified = VerifiedObjects::without_rows(lock);
    let mut orphans = collected.take_orphans(config)?;
    loop {
        let listed = orphans.by_ref().take(WINDOW).collect::<Result<HashMap<ObjectKey, ETag>>>()?;
        if listed.is_empty() {
            return Ok(total);
        }
        let mut copies = Vec::new();
        for end in copy_listed(copying, config, listed, stop, &progress).await? {
            match end {
                OrphanEnd::Lives(copy, own) => {
                    total.copied += 1;
                    let evidence = Deletable::Twin(copy);
                    collected.evidence.push(&evidence)?;
                    copies.extend(evidence.into_copy().map(|copy| (copy, own)));
                }
                OrphanEnd::WrittenAgain(copy, own) => {
                    collected.written_again(1);
                    copies.push((copy, own));
                }
                OrphanEnd::Failed(source, why) => total.failed(&source, &why),
                OrphanEnd::Gone => {}
            }
        }
        verified.add(ledger, copies).await?;
        if stop.is_cancelled() {
            return Err(Failure::Interrupted.into());
        }
    }
}

/// Copies and checks orphans that were listed with these ETags; those that were begun before `stop` was set have an end.
///
/// # Errors
/// If a bucket cannot be listed.
pub async fn copy_listed<R: ReadObjects, C: CopyObjects>(
    copying: &Copying<'_, R, C>,
    config: &Config,
    listed: HashMap<ObjectKey, ETag>,
    stop: &CancellationToken,
    progress: impl Fn(),
) -> Result<Vec<OrphanEnd>> {
    let mut keys: Vec<ObjectKey> = listed.keys().cloned().collect();
    keys.sort_unstable();
    let objects = keys.into_iter().filter_map(|source| planned(config, source)).collect();
    let endings = copying.window(objects, stop, |_| progress()).await?;
    let end = |(object, ending): (LedgerObject, Ending)| match ending {
        Ending::Verified { copy, own, .. } if listed.get(copy.source()) != copy.source_etag() => {
            OrphanEnd::WrittenAgain(copy, own)
        }
        Ending::Verified { copy, own, .. } => OrphanEnd::Lives(copy, own),
        Ending::Conflict(why) | Ending::Failed(why) => OrphanEnd::Failed(object.source, why),
        Ending::SourceChanged => OrphanEnd::Failed(object.source, "it changes all the time".to_owned()),
        Ending::MissingSource | Ending::TargetGone => OrphanEnd::Gone,
    };
    Ok(endings.into_iter().map(end).collect())
}

fn planned(config: &Config, source: ObjectKey) -> Option<LedgerObject> {
    let target = config.mappings.twin_of_source(&source)?;
    Some(LedgerObject {
        source,
        target,
        state: ObjectState::Planned,
        source_etag: None,
        target_etag: None,
        own_copy: false,
        sha256: None,
        proof: None,
    })
}
