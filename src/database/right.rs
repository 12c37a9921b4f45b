//! The right to write facts of a run to its ledger: its lock, or the lease of one of its ranges.

use anyhow::{Context, Result};
use sqlx::{MySql, QueryBuilder};

use super::crew::Tally;
use super::lock::RunLock;

/// Who may write facts of a run: the holder of its lock, or a worker about what it holds the lease of. Whoever has lost that
/// writes nothing.
pub trait MayWrite: std::fmt::Debug + Sync {
    /// Carries out a statement that has the same effect when it is repeated.
    ///
    /// # Errors
    /// If the right is lost, or the ledger cannot be written.
    fn write(
        &self,
        statement: impl Fn() -> QueryBuilder<MySql> + Send + Sync,
    ) -> impl Future<Output = Result<()>> + Send;

    /// Notes what was done under this right.
    ///
    /// # Errors
    /// If the right is lost, or the ledger cannot be written.
    fn tally(&self, done: Tally) -> impl Future<Output = Result<()>> + Send;
}

impl MayWrite for RunLock {
    async fn write(&self, statement: impl Fn() -> QueryBuilder<MySql> + Send + Sync) -> Result<()> {
        let mut connection = self.connection().await?;
        statement().build().execute(&mut *connection).await.context("failed to write to the ledger")?;
        Ok(())
    }

    /// Who works alone keeps count by itself.
    async fn tally(&self, _done: Tally) -> Result<()> {
        Ok(())
    }
}
