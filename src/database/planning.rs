//! The plan in the ledger: which objects the rows name by legacy paths.

use anyhow::{Context, Result};
use sqlx::{MySql, QueryBuilder};

use super::column::TextColumn;
use super::ledger::Ledger;
use super::lock::RunLock;
use super::named::key;
use super::rows::{Candidates, for_each_candidate};
use super::session::Database;
use super::sql::statement;
use crate::config::Config;
use crate::path::{Class, LegacyPath, Mapping, Mappings};
use crate::spool::Spool;

/// Values a multi-row INSERT takes: below the 65,535 placeholders of a statement.
const ROWS_A_STATEMENT: usize = 500;

/// A pass, and which part of the work it takes.
#[derive(Clone, Copy, Debug)]
pub struct Part<'a> {
    /// The number of the pass in its run, from 1.
    pub pass: u32,
    /// Only objects whose key in the legacy bucket begins with this; empty for all.
    pub prefix: &'a str,
}

/// Writes what every legacy value of a reference names to the plan of this pass: set-based where SQL can classify alone, through the
/// classifier otherwise. No writer of the application waits (READ COMMITTED, row-based binary log).
///
/// # Errors
/// If rows cannot be read or the ledger cannot be written.
pub async fn plan_rows(
    database: &Database,
    lock: &RunLock,
    ledger: &Ledger,
    column: &TextColumn,
    config: &Config,
    part: Part<'_>,
) -> Result<()> {
    let mappings = &config.mappings;
    for (index, mapping) in mappings.all().iter().enumerate().filter(|(_, mapping)| column.is_exact(mapping)) {
        let keys = mapping.keys();
        let Some(legacy) = planned(column, mappings, mapping, part.prefix) else { continue };
        let value = column.value();
        let key_of = |keys: &str| key(keys, &value, mapping.legacy.as_str());
        let statement = ledger
            .statement(statement!("plan_rows.sql"))
            .with("source_key", &key_of(&keys.legacy))
            .with("target_key", &key_of(&keys.modern))
            .with("table", &column.table(database.schema()))
            .with("legacy", &legacy);
        sqlx::query(statement.sql())
            .bind(ledger.migration())
            .bind(ledger.run())
            .bind(part.pass)
            .bind(u16::try_from(index)?)
            .execute(&mut *lock.connection().await?)
            .await
            .with_context(|| format!("failed to plan {}", column.name))?;
    }
    if !mappings.all().iter().all(|mapping| column.is_exact(mapping)) {
        plan_unclear(database, lock, ledger, column, config, part).await?;
    }
    Ok(())
}

/// Which values of a mapping are planned: the legacy ones whose keys begin with the prefix; `None` if none can.
fn planned(column: &TextColumn, mappings: &Mappings, mapping: &Mapping, prefix: &str) -> Option<String> {
    let legacy = column.is_legacy(mappings, mapping);
    let keys = mapping.keys().legacy;
    if keys.starts_with(prefix) {
        return Some(legacy);
    }
    // Where the path is not decoded it goes on as the key does.
    let within = prefix.strip_prefix(keys.as_str())?;
    Some(format!("{legacy} AND {}", column.begins_with(&format!("{}{within}", mapping.legacy.as_str()))))
}

/// What only the classifier can tell. It is kept on local disk in between, so that memory does not grow with the table and no
/// cursor is held while the ledger is written.
async fn plan_unclear(
    database: &Database,
    lock: &RunLock,
    ledger: &Ledger,
    column: &TextColumn,
    config: &Config,
    part: Part<'_>,
) -> Result<()> {
    let mappings = &config.mappings;
    let mut values: Spool<Vec<u8>> = Spool::new(&config.temp_dir)?;
    for_each_candidate(database, column, mappings, Candidates::Unclear, |row| {
        if let Class::Legacy(path) = mappings.classify(&row.value)
            && path.source().as_str().starts_with(part.prefix)
        {
            values.push(&row.value)?;
        }
        Ok(())
    })
    .await?;
    let mut paths = values.read()?.filter_map(|value| match value.map(|value| mappings.classify(&value)) {
        Ok(Class::Legacy(path)) => Some(Ok(path)),
        Ok(_) => None,
        Err(error) => Some(Err(error)),
    });
    loop {
        let batch = paths.by_ref().take(ROWS_A_STATEMENT).collect::<Result<Vec<LegacyPath>>>()?;
        if batch.is_empty() {
            return Ok(());
        }
        let decodes = |path: &&LegacyPath| mappings.all().get(path.mapping()).is_some_and(Mapping::decodes);
        let urls: Vec<&LegacyPath> = batch.iter().filter(decodes).collect();
        if !urls.is_empty() {
            insert(lock, url_lines(ledger, &urls)).await?;
        }
        insert(lock, object_lines(ledger, &batch, part.pass)).await?;
    }
}

fn url_lines(ledger: &Ledger, paths: &[&LegacyPath]) -> QueryBuilder<MySql> {
    let mut query = QueryBuilder::new(ledger.statement(statement!("plan_urls.sql")).sql().0);
    query.push_values(paths, |mut row, path| {
        row.push_bind(ledger.migration())
            .push_bind(path.as_str().as_bytes().to_vec())
            .push_bind(path.source().as_str().as_bytes().to_vec())
            .push_bind(ledger.run());
    });
    query.push(" ON DUPLICATE KEY UPDATE run = VALUES(run)");
    query
}

fn object_lines(ledger: &Ledger, paths: &[LegacyPath], pass: u32) -> QueryBuilder<MySql> {
    let mut query = QueryBuilder::new(ledger.statement(statement!("plan_objects.sql")).sql().0);
    query.push_values(paths, |mut row, path| {
        row.push_bind(ledger.migration())
            .push_bind(ledger.run())
            .push_bind(pass)
            .push_bind(path.source().as_str().as_bytes().to_vec())
            .push_bind(u16::try_from(path.mapping()).unwrap_or(u16::MAX))
            .push_bind(path.target().as_str().as_bytes().to_vec());
    });
    query.push(" ON DUPLICATE KEY UPDATE mapping = VALUES(mapping)");
    query
}

async fn insert(lock: &RunLock, mut lines: QueryBuilder<MySql>) -> Result<()> {
    let inserted = lines.build().execute(&mut *lock.connection().await?).await;
    inserted.context("failed to write the plan to the ledger")?;
    Ok(())
}

/// How many objects a pass has planned; one that several mappings lead to counts for each.
///
/// # Errors
/// If the ledger cannot be read.
pub async fn count_planned(ledger: &Ledger, pass: u32) -> Result<u64> {
    sqlx::query_scalar(ledger.statement(statement!("planned_count.sql")).sql())
        .bind(ledger.migration())
        .bind(ledger.run())
        .bind(pass)
        .fetch_one(ledger.pool())
        .await
        .context("failed to read the plan in the ledger")
}
