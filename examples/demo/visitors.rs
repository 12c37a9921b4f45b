//! Visitors of the site: they load pictures all the time, and must never meet a broken one.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::snapshot::{Snapshot, bucket_of};
use crate::stage::{SCHEMA, Stage};

/// What the visitors saw.
pub(crate) struct Seen {
    /// Pictures that they loaded.
    pub(crate) loaded: u64,
    /// The pictures that were missing or not the user's own.
    pub(crate) broken: Vec<String>,
}

/// Visitors at work.
pub(crate) struct Visitors {
    leaving: CancellationToken,
    work: JoinHandle<Result<Seen>>,
}

impl Visitors {
    /// Lets them in.
    pub(crate) async fn start(stage: &Arc<Stage>, before: &Snapshot) -> Result<Self> {
        let mut expected = BTreeMap::new();
        for (id, row) in (1..).zip(before.rows.iter().filter(|row| row.place.starts_with("avatars."))) {
            let picture = row.path.as_deref().and_then(|path| before.resolve(path));
            expected.insert(id, picture.with_context(|| format!("{} names no object", row.place))?.bytes.clone());
        }
        let leaving = CancellationToken::new();
        let work = tokio::spawn(visit(Arc::clone(stage), expected, leaving.clone()));
        Ok(Self { leaving, work })
    }

    /// Sends them home.
    pub(crate) async fn stop(self) -> Result<Seen> {
        self.leaving.cancel();
        self.work.await.context("the visitors panicked")?
    }
}

async fn visit(stage: Arc<Stage>, expected: BTreeMap<i64, Vec<u8>>, leaving: CancellationToken) -> Result<Seen> {
    let mut connection = stage.mariadb.connect(SCHEMA).await?;
    let mut seen = Seen { loaded: 0, broken: Vec::new() };
    for (id, picture) in expected.iter().cycle() {
        if leaving.is_cancelled() {
            break;
        }
        let path: String =
            sqlx::query_scalar("SELECT path FROM avatars WHERE id = ?").bind(id).fetch_one(&mut connection).await?;
        let object = stage.s3.object(bucket_of(&path), &path);
        if object.is_none_or(|object| *object.body != **picture) {
            seen.broken.push(path);
        }
        seen.loaded += 1;
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    Ok(seen)
}
