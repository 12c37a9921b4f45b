//! The cutover: rows move to their modern paths, each by compare-and-set, all in one transaction with their journal.

use std::slice;
use std::time::Duration;

use anyhow::Result;
use tokio_util::sync::CancellationToken;

use crate::check::VerifiedObjects;
use crate::config::{Config, TransactionRows};
use crate::database::{
    Database, KeyRange, Ledger, Piece, RowRange, RunLock, TextColumn, Turn, move_rows, next_boundary,
};
use crate::failure::Failure;
use crate::path::Mappings;

/// Moves the rows of the verified objects, and of no others.
///
/// It takes the evidence by value, so that one round of checks buys one cutover. Without evidence it does not compile:
///
/// ```compile_fail
/// use avatar_migrate::{config::Config, cutover::cut_over, database::{Database, Ledger, Turn}};
/// use tokio_util::sync::CancellationToken;
/// async fn unchecked(database: &Database, ledger: &Ledger, config: &Config) -> anyhow::Result<u64> {
///     Ok(cut_over((), database, ledger, config, &[], &mut Turn::default(), &CancellationToken::new()).await?.rows)
/// }
/// ```
///
/// and the evidence cannot be made by hand:
///
/// ```compile_fail
/// use avatar_migrate::{check::VerifiedObjects, database::RunLock};
/// fn forge(lock: &RunLock) -> VerifiedObjects<'_> {
///     VerifiedObjects { right: lock, pass: 1, objects: 1 }
/// }
/// ```
///
/// nor by a worker that holds the lease of a range, and not the lock:
///
/// ```compile_fail
/// use avatar_migrate::{check::VerifiedObjects, config::Config, cutover::cut_over};
/// use avatar_migrate::database::{Database, Lease, Ledger, Turn};
/// use tokio_util::sync::CancellationToken;
/// async fn leased(
///     lease: &Lease,
///     (database, ledger, config): (&Database, &Ledger, &Config),
/// ) -> anyhow::Result<u64> {
///     let verified = VerifiedObjects::none(lease, 1);
///     Ok(cut_over(verified, database, ledger, config, &[], &mut Turn::default(), &CancellationToken::new()).await?.rows)
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
///     let mut verified = VerifiedObjects::none(lock, 1);
///     verified.add(ledger, vec![(copy, OwnCopy::Ours)]).await?;
///     Ok(cut_over(verified, database, ledger, config, &[], &mut Turn::default(), &CancellationToken::new()).await?.rows)
/// }
/// ```
///
/// Once `stop` is set no further transaction of several is begun. Where the brake holds it between two of them, it goes on
/// afterwards; but after more than half a minute it ends, as the sources have to be looked at again.
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
) -> Result<Moved> {
    if verified.is_empty() {
        return Ok(Moved::default());
    }
    let pieces = Pieces { lock: verified.lock(), database, ledger, mappings: &config.mappings, stop };
    let at_most = match config.transaction_rows {
        // The brake was passed before the sources were looked at, and nothing may come between that look and COMMIT.
        TransactionRows::All => {
            let rows = pieces.move_piece(references, &Piece::default(), turn).await?;
            return Ok(Moved { rows, held: false });
        }
        TransactionRows::AtMost(rows) => rows,
    };
    let mut moved = Moved::default();
    for column in references {
        if moved.held {
            break;
        }
        if column.is_seekable() {
            pieces.along_rows(column, at_most, turn, &mut moved).await?;
        } else {
            pieces.along_objects(column, at_most, turn, &mut moved).await?;
        }
    }
    Ok(moved)
}

/// What a cutover came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moved {
    /// How many rows have moved.
    pub rows: u64,
    /// Whether the brake held up the rest for so long that its sources have to be looked at again.
    pub held: bool,
}

/// For so long the brake may hold up a transaction after the look at its sources, as long as a proof of finalize is fresh.
const LOOK_IS_FRESH: Duration = Duration::from_secs(30);

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
    async fn along_rows(&self, column: &TextColumn, rows: u64, turn: &mut Turn, moved: &mut Moved) -> Result<()> {
        let mut left = Some(RowRange::default());
        while let Some(range) = left.filter(|_| !moved.held) {
            let first = range.first(self.database, column, self.mappings, rows).await?;
            let piece = Piece { rows: first.clone(), ..Piece::default() };
            self.unless_held(column, &piece, turn, moved).await?;
            left = first.rest();
        }
        Ok(())
    }

    /// So many objects a piece, each with all its rows, for which the table is read anew.
    async fn along_objects(&self, column: &TextColumn, objects: u64, turn: &mut Turn, moved: &mut Moved) -> Result<()> {
        let mut after = None;
        while let Some(through) = next_boundary(self.ledger, after.as_ref(), objects).await? {
            let objects = KeyRange { after, through: Some(through.clone()) };
            let piece = Piece { objects, ..Piece::default() };
            self.unless_held(column, &piece, turn, moved).await?;
            if moved.held {
                break;
            }
            after = Some(through);
        }
        Ok(())
    }

    /// Moves a piece, unless the look at its sources has become too old before the brake.
    async fn unless_held(&self, column: &TextColumn, piece: &Piece, turn: &mut Turn, moved: &mut Moved) -> Result<()> {
        moved.held = self.database.brake().passed().await > LOOK_IS_FRESH;
        if !moved.held {
            moved.rows += self.move_piece(slice::from_ref(column), piece, turn).await?;
        }
        Ok(())
    }

    async fn move_piece(&self, references: &[TextColumn], piece: &Piece, turn: &mut Turn) -> Result<u64> {
        if self.stop.is_cancelled() {
            return Err(Failure::Interrupted.into());
        }
        move_rows(self.database, self.lock, self.ledger, references, self.mappings, piece, turn).await
    }
}
