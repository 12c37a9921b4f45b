//! The cutover: rows move to their modern paths, each by compare-and-set, all in one transaction with their journal.

use anyhow::Result;

use crate::check::VerifiedObjects;
use crate::config::{Config, TransactionRows};
use crate::database::{Database, KeyRange, Ledger, TextColumn, Turn, move_rows, next_boundary};

/// Moves the rows of the verified objects, and of no others; gives how many moved.
///
/// It takes the evidence by value, so that one round of checks buys one cutover. Without evidence it does not compile:
///
/// ```compile_fail
/// use avatar_migrate::{config::Config, cutover::cut_over, database::{Database, Ledger, Turn}};
/// async fn unchecked(database: &Database, ledger: &Ledger, config: &Config) -> anyhow::Result<u64> {
///     cut_over((), database, ledger, config, &[], &mut Turn::default()).await
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
/// async fn checked(
///     copy: VerifiedCopy,
///     (lock, database, ledger, config): (&RunLock, &Database, &Ledger, &Config),
/// ) -> anyhow::Result<u64> {
///     let mut verified = VerifiedObjects::none(lock);
///     verified.add(ledger, vec![(copy, OwnCopy::Ours)]).await?;
///     cut_over(verified, database, ledger, config, &[], &mut Turn::default()).await
/// }
/// ```
///
/// # Errors
/// If the transaction fails for good (nothing has changed then), or one of several fails (those before it hold).
pub async fn cut_over(
    verified: VerifiedObjects<'_>,
    database: &Database,
    ledger: &Ledger,
    config: &Config,
    references: &[TextColumn],
    turn: &mut Turn,
) -> Result<u64> {
    if verified.is_empty() {
        return Ok(0);
    }
    let (lock, mappings) = (verified.lock(), &config.mappings);
    let rows = match config.transaction_rows {
        TransactionRows::All => {
            return move_rows(database, lock, ledger, references, mappings, &KeyRange::default(), turn).await;
        }
        TransactionRows::AtMost(rows) => rows,
    };
    let (mut moved, mut after) = (0, None);
    while let Some(through) = next_boundary(ledger, after.as_ref(), rows).await? {
        let range = KeyRange { after, through: Some(through.clone()) };
        moved += move_rows(database, lock, ledger, references, mappings, &range, turn).await?;
        after = Some(through);
    }
    Ok(moved)
}
