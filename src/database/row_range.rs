//! Ranges of rows along the primary key, so that a transaction that moves some rows reads and locks no others.

use anyhow::{Context, Result};
use sqlx::Row;

use super::column::{ALIAS, TextColumn};
use super::session::Database;
use super::sql::{ident, statement};
use crate::path::Mappings;

/// Rows of one table: those after the first key, up to and with the second one. A key is a text for each of its columns.
#[derive(Clone, Debug, Default)]
pub struct RowRange {
    after: Option<Vec<String>>,
    through: Option<Vec<String>>,
}

impl RowRange {
    /// The rows behind this range; none, if it has no end.
    #[must_use]
    pub fn rest(self) -> Option<Self> {
        self.through.map(|through| Self { after: Some(through), through: None })
    }

    /// The part of the range that holds its first `rows` legacy ones: all of it, if there are fewer.
    ///
    /// # Errors
    /// If the rows cannot be read.
    pub async fn first(self, database: &Database, column: &TextColumn, mappings: &Mappings, rows: u64) -> Result<Self> {
        let legacy = mappings.all().iter().map(|mapping| column.begins_with(mapping.legacy.as_str()));
        let statement = statement!("cutover_boundary_rows.sql")
            .with("keys", &column.key_texts().join(", "))
            .with("table", &column.table(database.schema()))
            .with("legacy", &legacy.collect::<Vec<_>>().join(" OR "))
            .with("rows", &self.condition(column))
            .with("order", &column.key_order());
        let mut query = sqlx::query(statement.sql());
        for value in self.parameters() {
            query = query.bind(value);
        }
        let last = query.bind(rows.saturating_sub(1)).fetch_optional(database.pool()).await;
        let last = last.with_context(|| format!("failed to read {}", column.name))?;
        let key = |row| (0..column.key.len()).map(|index| Row::try_get(&row, index)).collect::<Result<_, _>>();
        Ok(Self { after: self.after, through: last.map(key).transpose()?.or(self.through) })
    }

    /// What holds for the rows of the range, to be put behind other conditions; its parameters are those of
    /// [`Self::parameters`].
    pub(super) fn condition(&self, column: &TextColumn) -> String {
        let after = self.after.as_ref().map(|_| format!(" AND {}", is_behind(column)));
        let through = self.through.as_ref().map(|_| format!(" AND NOT {}", is_behind(column)));
        after.unwrap_or_default() + &through.unwrap_or_default()
    }

    pub(super) fn parameters(&self) -> impl Iterator<Item = &str> {
        let ends = self.after.iter().chain(&self.through);
        ends.flat_map(|key| is_behind_parameters(key))
    }
}

/// Whether a row lies behind a key: `(a > ?) OR (a = ? AND b > ?)`, which is what `(a, b) > (?, ?)` means, in a form that the
/// optimizer can use an index for.
pub(super) fn is_behind(column: &TextColumn) -> String {
    let terms = (0..column.key.len()).map(|index| {
        let parts = column.key.iter().take(index + 1).enumerate().map(|(position, key)| {
            let operator = if position == index { ">" } else { "=" };
            format!("{ALIAS}.{} {operator} {}", ident(&key.name), key.parameter())
        });
        format!("({})", parts.collect::<Vec<_>>().join(" AND "))
    });
    format!("({})", terms.collect::<Vec<_>>().join(" OR "))
}

/// The predicate of the n-th key column compares all those before it as well.
pub(super) fn is_behind_parameters(key: &[String]) -> impl Iterator<Item = &str> {
    (0..key.len()).flat_map(|index| key.iter().take(index + 1).map(String::as_str))
}
