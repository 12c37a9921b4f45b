//! The sources that a shared finalize deals with: left by its holder, taken by all workers, range by range.

use anyhow::{Context, Result};
use sqlx::{MySql, QueryBuilder};

use super::{Crew, Lease, Task};
use crate::database::journal::KeyRange;
use crate::database::lock::RunLock;
use crate::database::right::MayWrite;
use crate::database::sql::{Statement, statement};
use crate::path::ObjectKey;

/// Sources a multi-row statement takes.
const ROWS_A_STATEMENT: usize = 500;

/// What a source waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// To be copied: no row names it.
    Orphan,
    /// To be deleted.
    Deletable,
    /// For nothing: it was written again, and stays.
    Young,
    /// For nothing: it could not be copied, and stays.
    Failed,
}

impl Waiting {
    fn word(self) -> &'static str {
        match self {
            Self::Orphan => "orphan",
            Self::Deletable => "deletable",
            Self::Young => "young",
            Self::Failed => "failed",
        }
    }
}

/// A source in the legacy bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedSource {
    /// Its key.
    pub key: ObjectKey,
    /// What it waits for.
    pub waiting: Waiting,
    /// Of an orphan its ETag, of what is deletable the evidence, else why it stays.
    pub detail: String,
}

impl Crew {
    /// Leaves sources for the workers, or says what has become of them.
    ///
    /// # Errors
    /// If the right is lost, or the ledger cannot be written.
    pub async fn put_sources(&self, right: &impl MayWrite, sources: &[SharedSource]) -> Result<()> {
        for batch in sources.chunks(ROWS_A_STATEMENT) {
            right.write(|| self.putting(batch)).await?;
        }
        Ok(())
    }

    fn putting(&self, batch: &[SharedSource]) -> QueryBuilder<MySql> {
        let mut query = QueryBuilder::new(self.statement(statement!("sources_put.sql")).sql().0);
        query.push_values(batch, |mut row, source| {
            row.push_bind(self.run)
                .push_bind(source.key.as_str().as_bytes().to_vec())
                .push_bind(source.waiting.word())
                .push_bind(source.detail.clone());
        });
        query.push(statement!("sources_put_update.sql").sql().0);
        query
    }

    /// Cuts the sources that wait for one thing into ranges of `objects` each.
    ///
    /// # Errors
    /// If the lock is lost, or the ledger cannot be written.
    pub async fn cut_sources(&self, lock: &RunLock, waiting: Waiting, task: Task, objects: u64) -> Result<()> {
        sqlx::query(self.statement(statement!("ranges_cut_sources.sql")).sql())
            .bind(self.run)
            .bind(waiting.word())
            .bind(objects)
            .bind(objects)
            .bind(objects)
            .bind(self.run)
            .bind(task.pass)
            .bind(task.stage.word())
            .execute(&mut *lock.connection().await?)
            .await
            .context("failed to cut the work into ranges")?;
        Ok(())
    }

    /// How many sources wait for one thing.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub async fn count_sources(&self, waiting: Waiting) -> Result<u64> {
        let count = sqlx::query_scalar(self.statement(statement!("sources_count.sql")).sql());
        let count = count.bind(self.run).bind(waiting.word()).fetch_one(&self.pool).await;
        count.context("failed to read sources from the ledger")
    }

    /// The next sources of a range that wait for one thing, in key order.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub async fn sources(&self, waiting: Waiting, range: &KeyRange, limit: usize) -> Result<Vec<SharedSource>> {
        let statement = bounded(self.statement(statement!("sources_page.sql")), range);
        let mut page = sqlx::query_as(statement.sql()).bind(self.run).bind(waiting.word()).bind(start(range));
        if let Some(through) = &range.through {
            page = page.bind(through.as_str().as_bytes());
        }
        let page: Vec<(Vec<u8>, String)> = page
            .bind(u64::try_from(limit)?)
            .fetch_all(&self.pool)
            .await
            .context("failed to read sources from the ledger")?;
        let source = |(key, detail): (Vec<u8>, String)| {
            Ok(SharedSource { key: ObjectKey::new(String::from_utf8(key)?)?, waiting, detail })
        };
        page.into_iter().map(source).collect()
    }
}

impl Lease {
    /// Forgets the sources of the range: all of them are dealt with.
    ///
    /// # Errors
    /// If the lease is lost, or the ledger cannot be written.
    pub async fn forget_sources(&self) -> Result<()> {
        let range = self.range();
        self.write(|| {
            let mut query = QueryBuilder::new(self.crew.statement(statement!("sources_done.sql")).sql().0);
            query.push_bind(self.crew.run).push(" AND source_key > ").push_bind(start(range).to_vec());
            if let Some(through) = &range.through {
                query.push(" AND source_key <= ").push_bind(through.as_str().as_bytes().to_vec());
            }
            query
        })
        .await
    }
}

fn bounded(statement: Statement, range: &KeyRange) -> Statement {
    statement.with("through", if range.through.is_some() { "AND source_key <= ?" } else { "" })
}

fn start(range: &KeyRange) -> &[u8] {
    range.after.as_ref().map_or("", ObjectKey::as_str).as_bytes()
}
