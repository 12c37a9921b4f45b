//! The cutover: rows move to their modern paths, each by compare-and-set, all in one transaction with their journal.

use std::slice;

use anyhow::Result;
use tokio_util::sync::CancellationToken;

use crate::check::VerifiedObjects;
use crate::config::{Config, TransactionRows};
use crate::database::{
    Database, KeyRange, Ledger, Piece, RowRange, RunLock, TextColumn, Turn, move_rows, next_boundary,
};
use crate::failure::Failure;
use crate::path::Mappings;

/// Moves the rows of the verified objects, and of no others; gives how many moved.
///
/// It takes the evidence by value, so that one round of checks buys one cutover. Without evidence it does not compile:
///
/// ```compile_fail
/// use avatar_migrate::{config::Config, cutover::cut_over, database::{Database, Ledger, Turn}};
/// use tokio_util::sync::CancellationToken;
/// async fn unchecked(database: &Database, ledger: &Ledger, config: &Config) -> anyhow::Result<u64> {
///     cut_over((), database, ledger, config, &[], &mut Turn::default(), &CancellationToken::new()).await
/// }
/// ```
///
/// and the evidence cannot be made by hand:
///
/// ```compile_fail
/// use avatar_migrate::{check::VerifiedObjects, database::RunLock};
/// fn forge(lock: &RunLock) -> VerifiedObjects<'_> {
///     VerifiedObjects { lock, objects: 1 }
/// }
/// ```
///
/// The twin that compiles:
///
/// ```
/// use avatar_migrate::check::{OwnCopy, VerifiedCopy, VerifiedObjects};
/// use avatar_migrate::{config::Config, cutover::cut_over, database::{Database, Ledger, RunLock, Turn}};
/// use tokio_util::sync::CancellationToken;
/// async fn checked(
///     copy: VerifiedCopy,
///     (lock, database, ledger, config): (&RunLock, &Database, &Ledger, &Config),
/// ) -> anyhow::Result<u64> {
///     let mut verified = VerifiedObjects::none(lock);
///     verified.add(ledger, vec![(copy, OwnCopy::Ours)]).await?;
///     cut_over(verified, database, ledger, config, &[], &mut Turn::default(), &CancellationToken::new()).await
/// }
/// ```
///
/// Once `stop` is set no further transaction of several is begun.
///
/// # Errors
/// If the transaction fails for good (nothing has changed then), or one of several fails (those before it hold);
/// [`Failure::Interrupted`] between two of them.
pub async fn cut_over(
    verified: VerifiedObjects<'_>,
    database: &Database,
    ledger: &Ledger,
    config: &Config,
    references: &[TextColumn],
    turn: &mut Turn,
    stop: &CancellationToken,
) -> Result<u64> {
    if verified.is_empty() {
        return Ok(0);
    }
    let pieces = Pieces { lock: verified.lock(), database, ledger, mappings: &config.mappings, stop };
    let rows = match config.transaction_rows {
        TransactionRows::All => return pieces.moved(references, &Piece::default(), turn).await,
        TransactionRows::AtMost(rows) => rows,
    };
    let mut moved = 0;
    for column in references {
        moved += if column.is_seekable() {
            pieces.along_rows(column, rows, turn).await?
        } else {
            pieces.along_objects(column, rows, turn).await?
        };
    }
    Ok(moved)
}

/// Moves rows a piece at a time, each in a transaction of its own.
struct Pieces<'a> {
    lock: &'a RunLock,
    database: &'a Database,
    ledger: &'a Ledger,
    mappings: &'a Mappings,
    stop: &'a CancellationToken,
}

impl Pieces<'_> {
    /// So many legacy rows a piece, from one end of the primary key to the other: a piece reads no rows but its own.
    async fn along_rows(&self, column: &TextColumn, rows: u64, turn: &mut Turn) -> Result<u64> {
        let (mut moved, mut left) = (0, Some(RowRange::default()));
        while let Some(range) = left {
            let first = range.first(self.database, column, self.mappings, rows).await?;
            let piece = Piece { rows: first.clone(), ..Piece::default() };
            moved += self.moved(slice::from_ref(column), &piece, turn).await?;
            left = first.rest();
        }
        Ok(moved)
    }

    /// So many objects a piece, each with all its rows, for which the table is read anew.
    async fn along_objects(&self, column: &TextColumn, objects: u64, turn: &mut Turn) -> Result<u64> {
        let (mut moved, mut after) = (0, None);
        while let Some(through) = next_boundary(self.ledger, after.as_ref(), objects).await? {
            let objects = KeyRange { after, through: Some(through.clone()) };
            let piece = Piece { objects, ..Piece::default() };
            moved += self.moved(slice::from_ref(column), &piece, turn).await?;
            after = Some(through);
        }
        Ok(moved)
    }

    async fn moved(&self, references: &[TextColumn], piece: &Piece, turn: &mut Turn) -> Result<u64> {
        if self.stop.is_cancelled() {
            return Err(Failure::Interrupted.into());
        }
        move_rows(self.database, self.lock, self.ledger, references, self.mappings, piece, turn).await
    }
}
