//! The page of a verify: its pictures, and what it tells.

use anyhow::Result;
use futures::StreamExt;

use super::Session;
use super::files::unwritable;
use crate::failure::Failure;
use crate::report::html::{About, PICTURE_BYTES_MAX, PageWriter, Picture, Sampled, ShownTwins, Side};
use crate::report::summary::VerifySummary;
use crate::store::{Bucket, Small, Stores};

/// How many pairs are read at a time.
const PAIRS: usize = 4;

/// Reads the pictures of a page. One that cannot be read is said to be so in its place, and fails nothing.
///
/// # Errors
/// If the run is stopped.
pub(super) async fn pictures(session: &Session, page: Option<&PageWriter>) -> Result<Vec<ShownTwins>> {
    let Some(page) = page else { return Ok(Vec::new()) };
    let sampled = page.sampled();
    if sampled.is_empty() {
        return Ok(Vec::new());
    }
    let phase = session.progress.phase("read pictures", u64::try_from(sampled.len()).ok(), "pairs");
    let shown = futures::stream::iter(sampled).map(|twins| pair(session, twins)).buffered(PAIRS);
    let shown = shown.inspect(|_| phase.add(1)).collect();
    let shown = session.stop.run_until_cancelled(shown).await.ok_or(Failure::Interrupted)?;
    phase.finish();
    Ok(shown)
}

async fn pair(session: &Session, twins: Sampled) -> ShownTwins {
    let Stores { source, target, .. } = &session.stores;
    let before = async {
        match &twins.source {
            Some(side) => picture(session, source, side).await,
            None => Picture::Deleted,
        }
    };
    let (before, after) = futures::future::join(before, picture(session, target, &twins.target)).await;
    ShownTwins { twins, before, after }
}

async fn picture(session: &Session, bucket: &Bucket, side: &Side) -> Picture {
    let turn = session.pace.turn().await;
    match bucket.small(&side.key, &side.etag, PICTURE_BYTES_MAX).await {
        Ok(read) => {
            turn.went_well();
            match read {
                Small::Bytes(bytes) => Picture::Bytes(bytes),
                Small::TooLarge => Picture::TooLarge,
                Small::Moved => Picture::Changed,
            }
        }
        Err(error) => {
            tracing::warn!("a picture for the page could not be read: {error}");
            Picture::Unreadable
        }
    }
}

/// Writes the page, if one was asked for. Nothing is asked of the buckets after `summary` was made.
///
/// # Errors
/// If it cannot be written.
pub(super) fn write(
    session: &Session,
    page: Option<PageWriter>,
    summary: &VerifySummary,
    twins: &[ShownTwins],
) -> Result<()> {
    let Some(page) = page else { return Ok(()) };
    let phases = session.progress.past();
    let about = About { config: &session.config, summary, phases: &phases, twins };
    page.finish(&about).map_err(|error| unwritable(&error))
}
