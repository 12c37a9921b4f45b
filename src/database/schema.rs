//! What `information_schema` says of the migrated schema: its text columns, keys and peculiarities.

use std::collections::HashMap;

use anyhow::{Context, Result};
use sqlx::Row;
use sqlx::mysql::MySqlRow;

use super::column::{Content, KeyColumn, TextColumn, UniquePart};
use super::ledger::TABLES;
use super::session::Database;
use super::sql::statement;
use crate::config::ColumnName;
use crate::failure::Failure;

/// All character columns of base tables that this user can see: no views, no generated columns, no enums or sets.
///
/// # Errors
/// If `information_schema` cannot be read.
pub async fn text_columns(database: &Database) -> Result<Vec<TextColumn>> {
    let rows = fetch(database, statement!("text_columns.sql")).await?;
    if rows.is_empty() {
        refuse_blindness(database).await?;
    }
    let keys = keys(database).await?;
    let touched = touched_columns(database).await?;
    let mut columns = Vec::with_capacity(rows.len());
    for row in rows {
        let name = ColumnName { table: row.try_get("table_name")?, column: row.try_get("column_name")? };
        if TABLES.contains(&name.table.as_str()) {
            continue;
        }
        let charset: Option<String> = row.try_get("character_set_name")?;
        let json: i64 = row.try_get("is_json")?;
        let content = match (json, &charset) {
            (0, None) => Content::Binary,
            (0, Some(_)) => Content::Text,
            (_, _) => Content::Json,
        };
        let data_type: String = row.try_get("data_type")?;
        let of_table = keys.get(&name.table);
        columns.push(TextColumn {
            content,
            charset,
            length_max: row.try_get("length_max")?,
            length_in_bytes: data_type.ends_with("text") || content == Content::Binary,
            key: of_table.map(|keys| keys.primary.clone()).unwrap_or_default(),
            uniques: of_table.map(|keys| keys.uniques_with(&name.column)).unwrap_or_default(),
            touched: touched.get(&name.table).cloned().unwrap_or_default(),
            engine: row.try_get("engine")?,
            name,
        });
    }
    Ok(columns)
}

/// To a user without privileges a full schema looks like an empty one.
async fn refuse_blindness(database: &Database) -> Result<()> {
    let may_select: i64 = sqlx::query_scalar(statement!("may_select.sql").sql())
        .bind(database.schema())
        .fetch_one(database.pool())
        .await
        .context("failed to read information_schema")?;
    if may_select != 0 {
        return Ok(());
    }
    let message = format!("the user sees no text column in `{}`, and may not read the schema", database.schema());
    let grant = database.grant_on_schema("SELECT", database.schema());
    Err(Failure::Usage { message, hint: format!("run as an administrator of the database: {grant};") }.into())
}

#[derive(Default)]
struct Keys {
    primary: Vec<KeyColumn>,
    uniques: HashMap<String, Vec<UniquePart>>,
}

impl Keys {
    /// The unique keys, the primary one included, that hold `column`.
    fn uniques_with(&self, column: &str) -> Vec<Vec<UniquePart>> {
        let mut with: Vec<(&String, &Vec<UniquePart>)> =
            self.uniques.iter().filter(|(_, parts)| parts.iter().any(|part| part.column == column)).collect();
        with.sort_by_key(|(name, _)| name.as_str());
        with.into_iter().map(|(_, parts)| parts.clone()).collect()
    }
}

async fn keys(database: &Database) -> Result<HashMap<String, Keys>> {
    let mut tables: HashMap<String, Keys> = HashMap::new();
    for row in fetch(database, statement!("unique_keys.sql")).await? {
        let keys = tables.entry(row.try_get("table_name")?).or_default();
        let (index, column): (String, String) = (row.try_get("index_name")?, row.try_get("column_name")?);
        let (binary, seekable): (i64, i64) = (row.try_get("is_binary")?, row.try_get("is_seekable")?);
        if index == "PRIMARY" {
            keys.primary.push(KeyColumn { name: column.clone(), binary: binary != 0, seekable: seekable != 0 });
        }
        keys.uniques.entry(index).or_default().push(UniquePart { column, prefix: row.try_get("sub_part")? });
    }
    Ok(tables)
}

async fn touched_columns(database: &Database) -> Result<HashMap<String, Vec<String>>> {
    let mut tables: HashMap<String, Vec<String>> = HashMap::new();
    for row in fetch(database, statement!("touched_columns.sql")).await? {
        tables.entry(row.try_get("table_name")?).or_default().push(row.try_get("column_name")?);
    }
    Ok(tables)
}

/// Foreign keys that a reference takes part in, as `table.column -> table.column`.
pub(crate) async fn foreign_keys(database: &Database) -> Result<Vec<(ColumnName, ColumnName)>> {
    let rows = fetch(database, statement!("foreign_keys.sql")).await?;
    rows.iter().map(foreign_key).collect()
}

fn foreign_key(row: &MySqlRow) -> Result<(ColumnName, ColumnName)> {
    let child = ColumnName { table: row.try_get("table_name")?, column: row.try_get("column_name")? };
    let parent = ColumnName { table: row.try_get("parent_table")?, column: row.try_get("parent_column")? };
    Ok((child, parent))
}

async fn fetch(database: &Database, statement: super::sql::Statement) -> Result<Vec<MySqlRow>> {
    sqlx::query(statement.sql())
        .bind(database.schema())
        .fetch_all(database.pool())
        .await
        .context("failed to read information_schema")
}
