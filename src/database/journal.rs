//! The cutover's transaction: rows move together with their journal lines, all or none.

mod lines;
mod sift;
mod update;

use anyhow::{Context, Result, bail};
use sqlx::MySqlConnection;

use super::column::TextColumn;
use super::ledger::Ledger;
use super::lock::RunLock;
use super::row_range::RowRange;
use super::session::Database;
use super::sql::{statement, text};
use super::transaction::{Attempt, LostRace, Outcome, Transaction, Tries, attempt, is_passing, is_refusal};
use crate::failure::Failure;
use crate::path::{Mapping, Mappings, ObjectKey};

/// Which verified objects a transaction takes: those after the first key, up to and with the second one.
#[derive(Clone, Debug, Default)]
pub struct KeyRange {
    /// Exclusive; from the beginning if absent.
    pub after: Option<ObjectKey>,
    /// Inclusive; to the end if absent.
    pub through: Option<ObjectKey>,
}

/// What one transaction moves: rows of a range whose objects are of another.
#[derive(Clone, Debug, Default)]
pub struct Piece {
    /// Which objects.
    pub objects: KeyRange,
    /// Which rows of the one column that moves; of all rows if there are several columns.
    pub rows: RowRange,
}

/// Where in its run a cutover stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Turn {
    /// The pass whose rows move.
    pub pass: u32,
    /// The last part of the journal: a statement each, so that two attempts never share one.
    pub part: u32,
}

/// Moves the rows of a piece whose objects this run has verified, in one transaction; gives how many rows moved.
///
/// A row changes only if it still holds, byte for byte, the value that this pass has planned. Its journal line is written first, under a row
/// lock; if the UPDATE then matches another number of rows, everything is rolled back and begun anew. If the schema refuses a
/// new path, the objects of the refused rows are found and left out, and all others still move together.
///
/// # Errors
/// After some attempts, with the server's reason; nothing has changed then, unless the text says that this is not known.
pub async fn move_rows(
    database: &Database,
    lock: &RunLock,
    ledger: &Ledger,
    references: &[TextColumn],
    mappings: &Mappings,
    piece: &Piece,
    turn: &mut Turn,
) -> Result<u64> {
    let mut tries = Tries::default();
    let (mut sifting, mut raced) = (false, false);
    loop {
        let first = turn.part;
        let mut cutover = Cutover { database, ledger, references, mappings, piece, sifting, raced, first, turn };
        match attempt(lock, &mut cutover).await {
            Ok(Attempt::Committed { rows, .. }) => return Ok(rows),
            Ok(Attempt::RolledBack(error)) => {
                raced |= error.is::<LostRace>();
                tries.again(error).await?;
            }
            Err(error) if is_refusal(&error) && sifting => return Err(refused(&error).into()),
            Err(error) if is_refusal(&error) => {
                tracing::warn!("the database refuses a new path; looking for the rows that it refuses");
                sifting = true;
            }
            Err(error) => return Err(error),
        }
    }
}

/// Too many rows are refused to be left out one by one.
fn refused(error: &anyhow::Error) -> Failure {
    Failure::Refused {
        reasons: vec![format!("the database refuses new paths, so that no row has moved: {}", error.root_cause())],
        hint: "mend the rows, lift the constraint or trigger, or leave the column out with --exclude-reference"
            .to_owned(),
    }
}

struct Cutover<'a> {
    database: &'a Database,
    ledger: &'a Ledger,
    references: &'a [TextColumn],
    mappings: &'a Mappings,
    piece: &'a Piece,
    /// Whether objects whose rows the schema refuses are left out.
    sifting: bool,
    /// Whether an earlier attempt met a row that was not in its journal: an application writes, and each row is looked up.
    raced: bool,
    /// The last part before this attempt.
    first: u32,
    turn: &'a mut Turn,
}

impl Transaction for Cutover<'_> {
    async fn statements(&mut self, connection: &mut MySqlConnection) -> Result<u64> {
        if self.sifting { self.sifted(connection).await } else { self.moved(connection, &self.piece.objects).await }
    }

    async fn outcome(&mut self, connection: &mut MySqlConnection, rows: u64) -> Result<Outcome> {
        let statement = self.ledger.statement(statement!("cutover_outcome.sql"));
        let mut query = sqlx::query_scalar(statement.sql());
        for _ in 0..2 {
            query = query.bind(self.ledger.run()).bind(self.first + 1).bind(self.turn.part);
        }
        let lines: u64 = query.fetch_one(&mut *connection).await.context("failed to read the journal")?;
        let unmoved = if lines == 0 { 0 } else { self.unmoved(connection).await? };
        if lines == 0 {
            Ok(Outcome::RolledBack)
        } else if lines == rows && unmoved == 0 {
            Ok(Outcome::Committed)
        } else {
            let (run, first, last) = (self.ledger.run(), self.first + 1, self.turn.part);
            bail!(
                "the journal has {lines} lines of {rows}, and {unmoved} of their rows hold the old path: look at \
                 am_row_change, run {run}, parts {first} to {last}, then run the command again"
            )
        }
    }

    fn is_transient(&self, number: u16) -> bool {
        is_passing(number)
    }
}

impl Cutover<'_> {
    /// Moves the rows of a range: for each reference and mapping a part of the journal, then the update.
    async fn moved(&mut self, connection: &mut MySqlConnection, range: &KeyRange) -> Result<u64> {
        let (mut part, mut moved) = (self.turn.part, 0);
        // All numbers are taken at once, so that they tell reference and mapping even after an error.
        self.turn.part += u32::try_from(self.references.len() * self.mappings.all().len())?;
        for column in self.references {
            for mapping in self.mappings.all() {
                part += 1;
                let rows = Rows { column, mapping, part };
                let expected = self.journal(connection, rows, range).await?;
                if expected == 0 {
                    continue;
                }
                let lookup = self.lookup(connection, rows, range, expected).await?;
                let matched = self.update(connection, rows, range, lookup).await?;
                if matched != expected {
                    bail!(LostRace { matched, expected });
                }
                moved += matched;
            }
        }
        Ok(moved)
    }

    /// Which objects `o` may have their rows moved: those of a range that this run has verified in this pass.
    fn verified(&self, range: &KeyRange) -> String {
        let (migration, run, pass) = (self.ledger.migration(), self.ledger.run(), self.turn.pass);
        let is = |sign, key: &ObjectKey| format!(" AND o.source_key {sign} CAST({} AS BINARY)", text(key.as_str()));
        let after = range.after.as_ref().map_or(String::new(), |after| is(">", after));
        let through = range.through.as_ref().map_or(String::new(), |through| is("<=", through));
        format!(
            "o.migration = {migration} AND o.run = {run} AND o.pass = {pass} AND o.state = 'verified'{after}{through}"
        )
    }
}

/// The rows of one reference under one mapping: those of one part of the journal.
#[derive(Clone, Copy, Debug)]
struct Rows<'a> {
    column: &'a TextColumn,
    mapping: &'a Mapping,
    part: u32,
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
