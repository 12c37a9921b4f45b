//! The cutover's transaction: rows move together with their journal lines, all or none.

use anyhow::{Context, Result, bail};
use sqlx::MySqlConnection;

use super::column::TextColumn;
use super::ledger::Ledger;
use super::lock::RunLock;
use super::session::{Database, error_number};
use super::sql::statement;
use crate::failure::Failure;
use crate::path::{Mapping, Mappings, ObjectKey};

/// How often a transaction is begun anew after a lock wait, a deadlock or a lost race.
pub(super) const ATTEMPTS: u32 = 5;

/// Which verified objects a transaction takes: those after the first key, up to and with the second one.
#[derive(Clone, Debug, Default)]
pub struct KeyRange {
    /// Exclusive; from the beginning if absent.
    pub after: Option<ObjectKey>,
    /// Inclusive; to the end if absent.
    pub through: Option<ObjectKey>,
}

/// Moves the rows of every object that this run has verified, in one transaction; gives how many rows moved.
///
/// A row changes only if it still holds the planned value byte for byte. Its journal line is written first, under a row
/// lock; if the UPDATE then matches another number of rows, everything is rolled back and begun anew.
///
/// # Errors
/// After some attempts, with the server's reason; nothing has changed then.
pub async fn move_rows(
    database: &Database,
    lock: &RunLock,
    ledger: &Ledger,
    references: &[TextColumn],
    mappings: &Mappings,
    range: &KeyRange,
    part: &mut u32,
) -> Result<u64> {
    let mut last_error = None;
    for _ in 0..ATTEMPTS {
        let mut connection = lock.connection().await?;
        let transaction = Transaction { database, ledger, mappings, range };
        match transaction.run(&mut connection, references, part).await {
            Ok(moved) => return Ok(moved),
            Err(error) => {
                // Error 1205 rolls back its statement only: committing afterwards would keep a half.
                let rolled_back = sqlx::query("ROLLBACK").execute(&mut *connection).await;
                rolled_back.with_context(|| format!("the cutover failed and its connection was lost: {error:#}"))?;
                if let Some(refusal) = refusal(&error) {
                    return Err(refusal.into());
                }
                if !is_transient(&error) {
                    return Err(error.context("the cutover was rolled back; no row has changed"));
                }
                last_error = Some(error);
            }
        }
    }
    let error = last_error.unwrap_or_else(|| anyhow::anyhow!("no attempt was made"));
    Err(error.context(format!("the cutover was rolled back {ATTEMPTS} times; no row has changed")))
}

/// The rows that an UPDATE matched are not those that the journal holds: a writer came between.
#[derive(Debug, thiserror::Error)]
#[error("{matched} rows matched where {expected} were journaled")]
pub(super) struct LostRace {
    pub(super) matched: u64,
    pub(super) expected: u64,
}

/// Lock wait time-out, deadlock, snapshot conflict: another attempt may succeed (MariaDB error codes 1205, 1213, 1020).
pub(super) fn is_transient(error: &anyhow::Error) -> bool {
    let number = error.downcast_ref::<sqlx::Error>().and_then(error_number);
    matches!(number, Some(1205 | 1213 | 1020)) || error.downcast_ref::<LostRace>().is_some()
}

/// A unique key, CHECK constraint, trigger or foreign key that refuses a row (MariaDB error codes 1062, 4025, 1644, 1451
/// and 1452): another attempt would be refused as well.
fn refusal(error: &anyhow::Error) -> Option<Failure> {
    let number = error.downcast_ref::<sqlx::Error>().and_then(error_number)?;
    matches!(number, 1062 | 4025 | 1644 | 1451 | 1452).then(|| Failure::Refused {
        reasons: vec![format!("the database refuses a new path, so that no row has moved: {error}")],
        hint: "mend or delete the row that it names, lift the constraint or trigger, or leave the column out with \
               --exclude-reference"
            .to_owned(),
    })
}

struct Transaction<'a> {
    database: &'a Database,
    ledger: &'a Ledger,
    mappings: &'a Mappings,
    range: &'a KeyRange,
}

impl Transaction<'_> {
    async fn run(&self, connection: &mut MySqlConnection, references: &[TextColumn], part: &mut u32) -> Result<u64> {
        sqlx::query("START TRANSACTION").execute(&mut *connection).await?;
        let mut moved = 0;
        for column in references {
            for (index, mapping) in self.mappings.all().iter().enumerate() {
                *part += 1;
                let expected = self.journal(connection, column, (index, mapping), *part).await?;
                if expected == 0 {
                    continue;
                }
                let matched = self.update(connection, column, mapping, *part).await?;
                if matched != expected {
                    bail!(LostRace { matched, expected });
                }
                moved += matched;
            }
        }
        sqlx::query("COMMIT").execute(&mut *connection).await?;
        Ok(moved)
    }

    async fn journal(
        &self,
        connection: &mut MySqlConnection,
        column: &TextColumn,
        (index, mapping): (usize, &Mapping),
        part: u32,
    ) -> Result<u64> {
        let schema = self.database.schema();
        let clash = column.clashes(schema, mapping).map_or(String::new(), |clashes| format!("AND NOT {clashes}"));
        let through = if self.range.through.is_some() { "AND o.source_key <= ?" } else { "" };
        let statement = self
            .ledger
            .statement(statement!("cutover_journal.sql"))
            .with("row_key", &column.row_key())
            .with("new_row_key", &column.new_row_key(mapping))
            .with("new_value", &column.modern_value_bytes(mapping))
            .with("value", &column.value())
            .with("table", &column.table(schema))
            .with("legacy_prefix", &column.begins_with(mapping.legacy.as_str()))
            .with("no_clash", &clash)
            .with("through", through);
        let mut query = sqlx::query(statement.sql())
            .bind(self.ledger.run())
            .bind(part)
            .bind(&column.name.table)
            .bind(&column.name.column)
            .bind(self.ledger.migration())
            .bind(u16::try_from(index)?)
            .bind(self.ledger.run())
            .bind(self.range.after.as_ref().map_or("", ObjectKey::as_str).as_bytes());
        if let Some(through) = &self.range.through {
            query = query.bind(through.as_str().as_bytes());
        }
        Ok(query.execute(&mut *connection).await?.rows_affected())
    }

    async fn update(
        &self,
        connection: &mut MySqlConnection,
        column: &TextColumn,
        mapping: &Mapping,
        part: u32,
    ) -> Result<u64> {
        let statement = self
            .ledger
            .statement(statement!("cutover_update.sql"))
            .with("table", &column.table(self.database.schema()))
            .with("assignments", &column.assignments(&column.modern_value(mapping)))
            .with("legacy_prefix", &column.begins_with(mapping.legacy.as_str()))
            .with("row_key", &column.row_key())
            .with("value", &column.value());
        let result = sqlx::query(statement.sql()).bind(self.ledger.run()).bind(part).execute(&mut *connection).await?;
        // sqlx always asks for FOUND_ROWS, so that this is the number of rows matched.
        Ok(result.rows_affected())
    }
}

/// The last key of the next `rows` verified objects after `after`; `None` if there are no more.
///
/// # Errors
/// If the ledger cannot be read.
pub async fn next_boundary(ledger: &Ledger, after: Option<&ObjectKey>, rows: u64) -> Result<Option<ObjectKey>> {
    let statement = ledger.statement(statement!("cutover_boundary.sql"));
    let key: Option<Vec<u8>> = sqlx::query_scalar(statement.sql())
        .bind(ledger.migration())
        .bind(ledger.run())
        .bind(after.map_or("", ObjectKey::as_str).as_bytes())
        .bind(rows)
        .fetch_one(ledger.pool())
        .await
        .context("failed to read the ledger")?;
    key.map(|key| Ok(ObjectKey::new(String::from_utf8(key)?)?)).transpose()
}
