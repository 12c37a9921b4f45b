//! The plan: the work list, derived from the rows that still carry a legacy prefix. The bucket is not asked.

use anyhow::Result;

use crate::config::Config;
use crate::database::{Database, Ledger, Part, RunLock, TextColumn, plan_rows};

/// Writes the plan of one pass to the ledger: every object that the references name by a legacy path.
///
/// With a prefix in `part` only objects whose keys begin with it are planned; the others stay as they are.
///
/// Two sources can never lead to one target: [`crate::path::Mappings`] accepts only what is invertible.
///
/// # Errors
/// If rows cannot be read or the ledger cannot be written.
pub async fn plan(
    database: &Database,
    lock: &RunLock,
    ledger: &Ledger,
    config: &Config,
    references: &[TextColumn],
    part: Part<'_>,
) -> Result<()> {
    for column in references {
        plan_rows(database, lock, ledger, column, config, part).await?;
    }
    Ok(())
}
