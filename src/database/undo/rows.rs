//! Rows of the undo plan: looked for without locks, then moved in one transaction under locks.

use anyhow::{Context, Result, bail};
use sqlx::MySqlConnection;

use super::{Part, Seat, Undo};
use crate::database::column::TextColumn;
use crate::database::journal::{ATTEMPTS, LostRace, is_transient};
use crate::database::ledger::Ledger;
use crate::database::session::error_number;
use crate::database::sql::{Statement, statement};
use crate::failure::Failure;
use crate::path::Mapping;

impl Undo<'_> {
    /// Which rows of a column still hold what the journal says was written. No row is locked.
    pub(super) async fn look_for_rows(&self, part: &Part) -> Result<()> {
        let Ok(column) = &part.column else { return Ok(()) };
        let mut connection = self.connection().await?;
        if part.waits {
            let statement = self.statement(statement!("undo_assume.sql"));
            sqlx::query(statement.sql()).bind(part.number).execute(&mut *connection).await?;
            return Ok(());
        }
        self.judge(&mut connection, part.number, column, "").await
    }

    /// Puts back the rows whose source is there, all in one transaction with the journal; gives how many.
    ///
    /// # Errors
    /// After some attempts, with the server's reason; nothing has changed then. [`Failure::Refused`] if the schema itself
    /// refuses the old paths.
    pub async fn put_back(&self, ledger: &Ledger) -> Result<u64> {
        let Seat::Lock(lock) = &self.seat else { bail!("a dry run changes nothing") };
        let mut last_error = None;
        for _ in 0..ATTEMPTS {
            let mut connection = lock.connection().await?;
            match self.transaction(&mut connection, ledger.run()).await {
                Ok(moved) => return Ok(moved),
                Err(error) => {
                    let rolled_back = sqlx::query("ROLLBACK").execute(&mut *connection).await;
                    rolled_back
                        .with_context(|| format!("the rollback failed and its connection was lost: {error:#}"))?;
                    // A row that took the old path meanwhile (1062) is seen by the next attempt.
                    let number = error.downcast_ref::<sqlx::Error>().and_then(error_number);
                    if number != Some(1062) && !is_transient(&error) {
                        return Err(refused_by_schema(error, number));
                    }
                    last_error = Some(error);
                }
            }
        }
        let error = last_error.unwrap_or_else(|| anyhow::anyhow!("no attempt was made"));
        let number = error.downcast_ref::<sqlx::Error>().and_then(error_number);
        Err(refused_by_schema(error.context(format!("it was rolled back {ATTEMPTS} times")), number))
    }

    async fn transaction(&self, connection: &mut MySqlConnection, run: u64) -> Result<u64> {
        sqlx::query("START TRANSACTION").execute(&mut *connection).await?;
        let mut moved = 0;
        for part in &self.parts {
            let Ok(column) = &part.column else { continue };
            self.judge(connection, part.number, column, "FOR UPDATE").await?;
            moved += self.move_part(connection, part.number, column, run).await?;
        }
        sqlx::query("COMMIT").execute(&mut *connection).await?;
        Ok(moved)
    }

    async fn judge(
        &self,
        connection: &mut MySqlConnection,
        part: u32,
        column: &TextColumn,
        locking: &str,
    ) -> Result<()> {
        let clear = self.statement(statement!("undo_rows_clear.sql"));
        sqlx::query(clear.sql()).bind(part).execute(&mut *connection).await?;
        for (index, mapping) in self.config.mappings.all().iter().enumerate() {
            let back = inverse(mapping);
            let clashes = column.clashes(self.database.schema(), &back).unwrap_or_else(|| "FALSE".to_owned());
            let statement = self
                .of_rows(statement!("undo_rows.sql"), column, &back)
                .with("clashes", &clashes)
                .with("lock", locking);
            let found =
                sqlx::query(statement.sql()).bind(part).bind(u16::try_from(index)?).execute(&mut *connection).await;
            found.with_context(|| format!("failed to look for rows of {}", column.name))?;
        }
        let judge = self.statement(statement!("undo_judge.sql"));
        sqlx::query(judge.sql()).bind(part).execute(&mut *connection).await?;
        Ok(())
    }

    async fn move_part(
        &self,
        connection: &mut MySqlConnection,
        part: u32,
        column: &TextColumn,
        run: u64,
    ) -> Result<u64> {
        let mut moved = 0;
        for (index, mapping) in self.config.mappings.all().iter().enumerate() {
            let index = u16::try_from(index)?;
            let go = self.statement(statement!("undo_go.sql"));
            sqlx::query(go.sql()).bind(part).bind(index).execute(&mut *connection).await?;
            let expected = self.statement(statement!("undo_expected.sql"));
            let expected: u64 =
                sqlx::query_scalar(expected.sql()).bind(part).bind(index).fetch_one(&mut *connection).await?;
            if expected == 0 {
                continue;
            }
            let back = inverse(mapping);
            let update = self
                .of_rows(statement!("undo_update.sql"), column, &back)
                .with("assignments", &column.assignments(&column.modern_value(&back)));
            // sqlx always asks for FOUND_ROWS, so that this is the number of rows matched.
            let updated = sqlx::query(update.sql()).bind(part).bind(index).execute(&mut *connection).await?;
            let matched = updated.rows_affected();
            if matched != expected {
                bail!(LostRace { matched, expected });
            }
            moved += matched;
        }
        if moved > 0 {
            let journal = self.statement(statement!("undo_journal.sql"));
            let noted = sqlx::query(journal.sql()).bind(run).bind(part).execute(&mut *connection).await?;
            if noted.rows_affected() < moved {
                bail!(LostRace { matched: noted.rows_affected(), expected: moved });
            }
            let done = self.statement(statement!("undo_moved.sql"));
            sqlx::query(done.sql()).bind(part).execute(&mut *connection).await?;
        }
        Ok(moved)
    }

    /// A statement over rows of `column` that are to go `back`; the mapping is already turned round.
    fn of_rows(&self, statement: Statement, column: &TextColumn, back: &Mapping) -> Statement {
        let (row_key, value) = (column.row_key(), column.value());
        self.statement(statement)
            .with("table", &column.table(self.database.schema()))
            .with("modern_prefix", &column.begins_with(back.legacy.as_str()))
            .with("row_id", &format!("UNHEX(SHA2(CONCAT(LENGTH({row_key}), ':', {row_key}, {value}), 256))"))
            .with("row_key", &row_key)
            .with("value", &value)
            .with("old_value", &column.modern_value_bytes(back))
    }
}

/// The way back: what is modern takes the place of what is legacy.
fn inverse(mapping: &Mapping) -> Mapping {
    Mapping { legacy: mapping.modern.clone(), modern: mapping.legacy.clone() }
}

/// A unique key (1062), a CHECK (4025), a trigger (1644) or a foreign key (1451, 1452) that refuses the old paths is for a
/// person to decide on.
fn refused_by_schema(error: anyhow::Error, number: Option<u16>) -> anyhow::Error {
    if !matches!(number, Some(1062 | 4025 | 1644 | 1451 | 1452)) {
        return error.context("it was rolled back; no row has changed");
    }
    let reasons = vec![format!("the schema refuses the old paths: {error:#}")];
    let hint = "drop the constraint or trigger that keeps legacy paths out, then run rollback again".to_owned();
    Failure::Refused { reasons, hint }.into()
}
