//! Reading rows: every value that could matter, in short pages, and counts.

use anyhow::{Context, Result, bail};
use futures::TryStreamExt;
use sqlx::Row;
use sqlx::mysql::MySqlRow;

use super::column::TextColumn;
use super::row_range::{is_behind, is_behind_parameters};
use super::session::{Database, grant_or};
use super::sql::{Statement, statement};
use crate::path::Mappings;

/// Rows a page.
const PAGE_ROWS: usize = 5000;

/// A row whose value may be a path.
#[derive(Clone, Debug)]
pub struct CandidateRow {
    /// The primary key as text: plain, or a JSON array for a composite one; empty without one.
    pub primary_key: String,
    /// The stored value as bytes: UTF-8 for text columns.
    pub value: Vec<u8>,
    /// Whether another row already holds the new path in a unique key.
    pub clashes: bool,
}

/// Which rows of a column are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Candidates<'a> {
    /// All that the classifier might call anything but foreign.
    All,
    /// Of those, the ones that SQL cannot classify alone.
    Unclear,
    /// Those that begin with one of these texts, and where SQL cannot classify alone, all that it cannot.
    Beginning(&'a [String]),
}

/// Reads the candidates of a column, in pages by primary key where there is one to seek by, and hands each to `take`.
///
/// No cursor is held across anything slow: `take` may only compute or write to local disk.
///
/// # Errors
/// [`crate::failure::Failure::Usage`] with the GRANT if the column may not be read; errors of `take`.
pub async fn for_each_candidate(
    database: &Database,
    column: &TextColumn,
    mappings: &Mappings,
    which: Candidates<'_>,
    mut take: impl FnMut(CandidateRow) -> Result<()>,
) -> Result<()> {
    let statement = page_statement(database, column, mappings, which);
    database.brake().passed().await;
    if !column.is_seekable() {
        let statement = statement.with("after", "").with("order", "");
        let mut rows = sqlx::raw_sql(statement.sql()).fetch(database.pool());
        let doing = format!("read {}", column.name);
        while let Some(row) = grant_or(rows.try_next().await, &doing, &select_grant(database, column))? {
            take(candidate(&row, column)?.1)?;
        }
        return Ok(());
    }
    let mut last = None;
    while let Some(seam) = page(database, column, &statement, last, &mut take).await? {
        database.brake().passed().await;
        last = Some(seam);
    }
    Ok(())
}

fn page_statement(database: &Database, column: &TextColumn, mappings: &Mappings, which: Candidates<'_>) -> Statement {
    let keys: String = column.key_texts().iter().map(|key| format!("{key}, ")).collect();
    let candidates = match which {
        Candidates::All => column.is_candidate(mappings),
        Candidates::Unclear => column.is_unclear(mappings),
        Candidates::Beginning(texts) => {
            let exact = mappings.all().iter().all(|mapping| column.is_exact(mapping));
            let unclear = (!exact).then(|| column.is_unclear(mappings));
            let tests: Vec<String> = texts.iter().map(|text| column.begins_with(text)).chain(unclear).collect();
            format!("({})", tests.join(" OR "))
        }
    };
    let clash = mappings.all().iter().filter_map(|mapping| {
        let clashes = column.clashes(database.schema(), mapping)?;
        Some(format!("WHEN {} THEN {clashes}", column.begins_with(mapping.legacy.as_str())))
    });
    let clash: Vec<String> = clash.collect();
    let clash = if clash.is_empty() { "FALSE".to_owned() } else { format!("CASE {} ELSE FALSE END", clash.join(" ")) };
    statement!("candidates.sql")
        .with("keys", &keys)
        .with("value", &column.value())
        .with("clashes", &clash)
        .with("table", &column.table(database.schema()))
        .with("candidates", &candidates)
}

/// Takes the rows of a page as they arrive, so that none of them fills the memory; gives the key of its last one if there are more.
async fn page(
    database: &Database,
    column: &TextColumn,
    statement: &Statement,
    after: Option<Vec<String>>,
    take: &mut impl FnMut(CandidateRow) -> Result<()>,
) -> Result<Option<Vec<String>>> {
    // One row more than a page is read, so that equal keys cannot hide at the seam between two pages.
    let order = format!("ORDER BY {} LIMIT {}", column.key_order(), PAGE_ROWS + 1);
    let seek = if after.is_some() { format!("AND {}", is_behind(column)) } else { String::new() };
    let sql = statement.clone().with("after", &seek).with("order", &order).sql();
    let mut rows = match &after {
        // Of many columns there is only this one page.
        None => sqlx::raw_sql(sql).fetch(database.pool()),
        Some(key) => {
            let values = is_behind_parameters(key).map(str::to_owned);
            values.fold(sqlx::query(sql), |query, value| query.bind(value)).fetch(database.pool())
        }
    };
    let doing = format!("read {}", column.name);
    let (mut previous, mut taken) = (after, 0);
    while let Some(row) = grant_or(rows.try_next().await, &doing, &select_grant(database, column))? {
        let (key, candidate) = candidate(&row, column)?;
        if previous.as_ref() == Some(&key) {
            bail!(partly_visible_key(database, column));
        }
        if taken == PAGE_ROWS {
            return Ok(previous);
        }
        take(candidate)?;
        taken += 1;
        previous = Some(key);
    }
    Ok(None)
}

fn candidate(row: &MySqlRow, column: &TextColumn) -> Result<(Vec<String>, CandidateRow)> {
    let mut key = Vec::with_capacity(column.key.len());
    for index in 0..column.key.len() {
        key.push(row.try_get::<String, _>(index).context("failed to read a primary key")?);
    }
    let primary_key = match key.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        several => serde_json::to_string(several)?,
    };
    let (value, clashes) = (row.try_get("value")?, row.try_get::<i64, _>("clashes")? != 0);
    Ok((key, CandidateRow { primary_key, value, clashes }))
}

/// How many rows a column has, and how many of them SQL alone calls legacy or modern.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClearCounts {
    /// All rows of the table.
    pub total: u64,
    /// Rows that are legacy.
    pub legacy: u64,
    /// Rows that are modern.
    pub modern: u64,
}

/// Counts what SQL can classify alone; the rest comes through [`for_each_candidate`] with [`Candidates::Unclear`].
///
/// # Errors
/// [`crate::failure::Failure::Usage`] with the GRANT if the column may not be read.
pub async fn count_clear(database: &Database, column: &TextColumn, mappings: &Mappings) -> Result<ClearCounts> {
    let exact = || mappings.all().iter().filter(|mapping| column.is_exact(mapping));
    let any = |tests: Vec<String>| if tests.is_empty() { "FALSE".to_owned() } else { tests.join(" OR ") };
    let statement = statement!("count_clear.sql")
        .with("legacy", &any(exact().map(|m| column.is_legacy(mappings, m)).collect()))
        .with("modern", &any(exact().map(|m| column.is_modern(mappings, m)).collect()))
        .with("table", &column.table(database.schema()));
    let doing = format!("read {}", column.name);
    let row = sqlx::raw_sql(statement.sql()).fetch_one(database.pool()).await;
    let row = grant_or(row, &doing, &select_grant(database, column))?;
    Ok(ClearCounts { total: row.try_get("total")?, legacy: row.try_get("legacy")?, modern: row.try_get("modern")? })
}

fn select_grant(database: &Database, column: &TextColumn) -> String {
    database.grant("SELECT", &column.table(database.schema()))
}

fn partly_visible_key(database: &Database, column: &TextColumn) -> crate::failure::Failure {
    crate::failure::Failure::Usage {
        message: format!(
            "two rows of table `{}` have the same key as far as this user can see: a part of the primary key is hidden",
            column.name.table
        ),
        hint: format!("run as an administrator of the database: {};", select_grant(database, column)),
    }
}
