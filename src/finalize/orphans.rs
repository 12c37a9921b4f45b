//! Orphans are copied and checked like any other object before their sources go.

use std::collections::HashMap;

use anyhow::Result;
use tokio_util::sync::CancellationToken;

use super::Collected;
use crate::check::{Deletable, OwnCopy, VerifiedObjects};
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
    let mut verified = VerifiedObjects::none(lock);
    let mut orphans = collected.take_orphans(config)?;
    loop {
        let listed = orphans.by_ref().take(WINDOW).collect::<Result<HashMap<ObjectKey, ETag>>>()?;
        if listed.is_empty() {
            return Ok(total);
        }
        let mut keys: Vec<ObjectKey> = listed.keys().cloned().collect();
        keys.sort_unstable();
        let objects = keys.into_iter().filter_map(|source| planned(config, source)).collect();
        let endings = copying.window(objects, stop, |_| progress()).await?;
        let mut copies = Vec::new();
        for (object, ending) in endings {
            match ending {
                Ending::Verified { copy, own, .. } if listed.get(copy.source()) != copy.source_etag() => {
                    // Written again since it was listed: young, with a row that may be about to name it. The copy stays.
                    collected.written_again();
                    copies.push((copy, own));
                }
                Ending::Verified { copy, own, .. } => {
                    total.copied += 1;
                    copies.extend(keep(collected, copy, own)?);
                }
                Ending::Conflict(why) | Ending::Failed(why) => failed(&mut total, &object, &why),
                Ending::SourceChanged => failed(&mut total, &object, "it changes all the time"),
                // Gone since it was listed: nothing is left to delete.
                Ending::MissingSource | Ending::TargetGone => {}
            }
        }
        verified.add(ledger, copies).await?;
        if stop.is_cancelled() {
            return Err(Failure::Interrupted.into());
        }
    }
}

fn keep(
    collected: &mut Collected,
    copy: crate::check::VerifiedCopy,
    own: OwnCopy,
) -> Result<Option<(crate::check::VerifiedCopy, OwnCopy)>> {
    let evidence = Deletable::Twin(copy);
    collected.evidence.push(&evidence)?;
    match evidence {
        Deletable::Twin(copy) => Ok(Some((copy, own))),
        Deletable::Superseded(_) => Ok(None),
    }
}

fn failed(total: &mut OrphansCopied, object: &LedgerObject, why: &str) {
    total.failed.0 += 1;
    if total.failed.1.len() < 10 {
        total.failed.1.push(format!("orphan {}: {why}", object.source));
    }
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
