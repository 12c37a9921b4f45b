//! Rows of the undo plan: looked for without locks, then moved in one transaction under locks.

use anyhow::{Context, Result, bail};
use sqlx::MySqlConnection;

use super::{Part, PutBack, Seat, Undo};
use crate::database::column::TextColumn;
use crate::database::ledger::Ledger;
use crate::database::sql::{Statement, statement};
use crate::database::transaction::{Attempt, LostRace, Outcome, Transaction, attempt, is_passing, is_refusal};
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

    /// Puts back the rows whose source is there, all in one transaction with the journal: one attempt.
    ///
    /// # Errors
    /// With the server's reason, if another attempt would fail as well; nothing has changed then, unless the text says that
    /// this is not known. [`Failure::Refused`] if the schema itself refuses the old paths.
    pub async fn put_back(&self, ledger: &Ledger) -> Result<PutBack> {
        let Seat::Lock(lock) = &self.seat else { bail!("a dry run changes nothing") };
        match attempt(lock, &mut Back { undo: self, run: ledger.run() }).await {
            Ok(Attempt::Committed { rows, fresh: false }) => Ok(PutBack::Moved(rows)),
            Ok(Attempt::Committed { rows, fresh: true }) => Ok(PutBack::MovedOutOfSight(rows)),
            Ok(Attempt::RolledBack(error)) => Ok(PutBack::RolledBack(error)),
            Err(error) => Err(refused_by_schema(error)),
        }
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

/// What the schema refuses is for a person to decide on.
pub(crate) fn refused_by_schema(error: anyhow::Error) -> anyhow::Error {
    if !is_refusal(&error) {
        return error;
    }
    let reasons = vec![format!("the schema refuses the old paths: {error:#}")];
    let hint = "drop the constraint or trigger that keeps legacy paths out (avatarMigrate fence --drop takes away its own), then run \
                        rollback again".to_owned();
    Failure::Refused { reasons, hint }.into()
}

/// The transaction of a rollback.
struct Back<'a> {
    undo: &'a Undo<'a>,
    run: u64,
}

impl Transaction for Back<'_> {
    async fn statements(&mut self, connection: &mut MySqlConnection) -> Result<u64> {
        let mut moved = 0;
        for part in &self.undo.parts {
            let Ok(column) = &part.column else { continue };
            self.undo.judge(connection, part.number, column, "FOR UPDATE").await?;
            moved += self.undo.move_part(connection, part.number, column, self.run).await?;
        }
        Ok(moved)
    }

    async fn outcome(&mut self, connection: &mut MySqlConnection, rows: u64) -> Result<Outcome> {
        let statement = self.undo.statement(statement!("undo_outcome.sql"));
        let query = sqlx::query_scalar(statement.sql()).bind(self.run);
        let lines: u64 = query.fetch_one(connection).await.context("failed to read the journal")?;
        if lines == 0 {
            return Ok(Outcome::RolledBack);
        }
        // A row that was changed several times has several lines.
        if lines < rows {
            let run = self.run;
            bail!(
                "only {lines} journal lines of {rows} are noted as undone: look at am_row_change, undone_by {run}, then \
                 run rollback again"
            );
        }
        Ok(Outcome::Committed)
    }

    /// A row that took the old path meanwhile (1062) is seen by the next attempt.
    fn is_transient(&self, number: u16) -> bool {
        is_passing(number) || number == 1062
    }
}
