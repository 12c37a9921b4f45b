//! How large the rows are that will move, so that a cutover can be weighed before it is made. By reading alone.

use anyhow::{Context, Result};
use sqlx::Row;

use super::column::{ALIAS, TextColumn};
use super::session::{Database, is_denied};
use super::sql::{ident, statement};
use crate::path::Mappings;

/// Bytes of a row that is to move, on the average of some such rows. Images are those of the binary log in row format.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RowSizes {
    /// All columns.
    pub image: f64,
    /// All columns but the BLOB and TEXT ones.
    pub without_blobs: f64,
    /// The columns of the primary key; none if the table has no key.
    pub key: Option<f64>,
    /// The columns that the cutover sets.
    pub changed: f64,
    /// Whether the path is in a BLOB or TEXT column.
    pub is_blob: bool,
    /// The path itself, in UTF-8.
    pub path: f64,
    /// The primary key as text, as the journal holds it.
    pub row_key: f64,
}

/// A column as a row image holds it.
struct ImageColumn {
    name: String,
    in_key: bool,
    is_blob: bool,
    /// The bytes that it takes, as an expression.
    bytes: String,
}

/// Measures some of the rows of a reference that are to move; `None` if there are none, or if this user cannot see all
/// columns of the table.
///
/// # Errors
/// If the database cannot be read, for any other reason than a missing privilege.
pub async fn row_sizes(database: &Database, column: &TextColumn, mappings: &Mappings) -> Result<Option<RowSizes>> {
    let columns = image_columns(database, column).await?;
    let is_blob = columns.iter().any(|of| of.name == column.name.column && of.is_blob);
    let changes = |of: &ImageColumn| of.name == column.name.column || column.touched.contains(&of.name);
    let legacy: Vec<String> = mappings.all().iter().map(|of| column.begins_with(of.legacy.as_str())).collect();
    let statement = statement!("row_sizes.sql")
        .with("image", &sum(&columns, |_| true))
        .with("without_blobs", &sum(&columns, |of| !of.is_blob))
        .with("key_image", &sum(&columns, |of| of.in_key))
        .with("changed", &sum(&columns, changes))
        .with("value", &column.value())
        .with("row_key", &column.row_key())
        .with("table", &column.table(database.schema()))
        .with("legacy", &format!("({})", legacy.join(" OR ")));
    let row = match sqlx::query(statement.sql()).fetch_one(database.pool()).await {
        Ok(row) => row,
        Err(error) if is_denied(&error) => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("failed to measure the rows of {}", column.name)),
    };
    if row.try_get::<u64, _>("sampled")? == 0 {
        return Ok(None);
    }
    let key = if column.key.is_empty() { None } else { Some(row.try_get("key_image")?) };
    Ok(Some(RowSizes {
        image: row.try_get("image")?,
        without_blobs: row.try_get("without_blobs")?,
        key,
        changed: row.try_get("changed")?,
        is_blob,
        path: row.try_get("path")?,
        row_key: row.try_get("row_key")?,
    }))
}

async fn image_columns(database: &Database, column: &TextColumn) -> Result<Vec<ImageColumn>> {
    let query = sqlx::query(statement!("row_columns.sql").sql());
    let rows = query.bind(database.schema()).bind(&column.name.table).fetch_all(database.pool()).await;
    let rows = rows.with_context(|| format!("failed to read the columns of {}", column.name.table))?;
    let of = |row: &sqlx::mysql::MySqlRow| {
        let name: String = row.try_get("column_name")?;
        let value = format!("{ALIAS}.{}", ident(&name));
        let bytes = match row.try_get::<Option<u64>, _>("fixed_bytes")? {
            Some(bytes) => format!("IF({value} IS NULL, 0, {bytes})"),
            None => format!("COALESCE(LENGTH({value}) + {}, 0)", row.try_get::<u64, _>("length_bytes")?),
        };
        let is = |name| Ok::<_, sqlx::Error>(row.try_get::<i64, _>(name)? != 0);
        Ok(ImageColumn { in_key: is("in_key")?, is_blob: is("is_blob")?, name, bytes })
    };
    rows.iter().map(of).collect()
}

/// The image of some columns: a bit each for NULL, and their bytes.
fn sum(columns: &[ImageColumn], of: impl Fn(&ImageColumn) -> bool) -> String {
    let bytes: Vec<&str> = columns.iter().filter(|column| of(column)).map(|column| column.bytes.as_str()).collect();
    format!("({} + {})", bytes.len().div_ceil(8), if bytes.is_empty() { "0".to_owned() } else { bytes.join(" + ") })
}
