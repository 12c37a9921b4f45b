//! Rows that the schema refuses, found by halving: a CHECK, a trigger, or two new paths that clash only with each other.

use anyhow::{Context, Result};
use sqlx::MySqlConnection;

use super::{Cutover, KeyRange, next_boundary};
use crate::database::objects::ObjectState;
use crate::database::sql::statement;
use crate::database::transaction::is_refusal;
use crate::path::ObjectKey;

/// More refused objects than this are no exceptions: nothing moves then.
const REFUSED_MAX: u64 = 100;

impl Cutover<'_> {
    /// Moves the rows of the range in the one transaction, but for those of refused objects: a range that is refused is taken
    /// back to its savepoint and halved, until the object is found.
    pub(super) async fn sifted(&mut self, connection: &mut MySqlConnection) -> Result<u64> {
        let (mut moved, mut refused) = (0, 0);
        let mut left = vec![self.piece.objects.clone()];
        while let Some(range) = left.pop() {
            sqlx::query("SAVEPOINT sifted").execute(&mut *connection).await?;
            let refusal = match self.moved(connection, &range).await {
                Ok(rows) => {
                    moved += rows;
                    continue;
                }
                Err(error) if is_refusal(&error) && refused < REFUSED_MAX => error,
                Err(error) => return Err(error),
            };
            sqlx::query("ROLLBACK TO SAVEPOINT sifted").execute(&mut *connection).await?;
            let objects = self.verified_in(connection, &range).await?;
            let middle = next_boundary(self.ledger, range.after.as_ref(), objects / 2).await?;
            if let Some(middle) = middle.filter(|_| objects > 1) {
                left.push(KeyRange { after: Some(middle.clone()), through: range.through });
                left.push(KeyRange { after: range.after, through: Some(middle) });
            } else {
                self.leave_out(connection, &range, &refusal).await?;
                refused += 1;
            }
        }
        Ok(moved)
    }

    async fn verified_in(&self, connection: &mut MySqlConnection, range: &KeyRange) -> Result<u64> {
        let through = if range.through.is_some() { "AND source_key <= ?" } else { "" };
        let statement = self.ledger.statement(statement!("cutover_count.sql")).with("through", through);
        let mut query = sqlx::query_scalar(statement.sql())
            .bind(self.ledger.migration())
            .bind(self.ledger.run())
            .bind(range.after.as_ref().map_or("", ObjectKey::as_str).as_bytes());
        if let Some(through) = &range.through {
            query = query.bind(through.as_str().as_bytes());
        }
        query.fetch_one(connection).await.context("failed to read the ledger")
    }

    /// In the transaction itself: what is left out is so only together with what has moved.
    async fn leave_out(
        &self,
        connection: &mut MySqlConnection,
        range: &KeyRange,
        refusal: &anyhow::Error,
    ) -> Result<()> {
        let first = self.ledger.objects(ObjectState::Verified, range.after.as_ref(), 1).await?;
        let object = first.first().context("the database refuses a path that is not planned")?;
        let detail = format!("the database refuses its new path: {}", refusal.root_cause());
        tracing::warn!(key = ?object.source.as_str(), "not moved: {}", detail.escape_debug());
        let statement = self.ledger.statement(statement!("cutover_refused.sql"));
        let query = sqlx::query(statement.sql())
            .bind(detail.chars().take(1000).collect::<String>())
            .bind(self.ledger.migration())
            .bind(object.source.as_str().as_bytes());
        query.execute(connection).await.context("failed to write to the ledger")?;
        Ok(())
    }
}
