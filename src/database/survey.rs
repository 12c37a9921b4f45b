//! The survey: what every text column of the schema holds. It finds the references and proves the absence of legacy rows.

use anyhow::Result;

use super::column::{Content, TextColumn};
use super::rows::{Candidates, count_clear, for_each_candidate};
use super::schema::text_columns;
use super::session::Database;
use super::sql::ident;
use crate::config::{ColumnName, Config};
use crate::failure::Failure;
use crate::path::{Class, Mappings};

/// What one column holds.
#[derive(Clone, Debug)]
pub struct ColumnSurvey {
    /// The column.
    pub column: TextColumn,
    /// Rows by class.
    pub counts: ClassCounts,
}

/// Rows by class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClassCounts {
    /// Rows that have to move.
    pub legacy: u64,
    /// Rows that have moved.
    pub modern: u64,
    /// Rows with a legacy prefix whose name does not fit the pattern.
    pub out_of_scope: u64,
    /// Rows that seem to mean a legacy object.
    pub suspect: u64,
    /// Rows whose longer text holds a legacy path.
    pub mentions: u64,
    /// All other rows.
    pub foreign: u64,
}

/// Where a column stands with regard to the migration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Its rows are moved.
    Reference,
    /// Left out by `--exclude-reference`: counted and named, blocks nothing.
    Excluded,
    /// A plain text column; a legacy path in it is an unlisted reference.
    Other,
}

/// The role of a column that holds paths or not.
#[must_use]
pub fn role(config: &Config, column: &TextColumn, holds_paths: bool) -> Role {
    if config.exclude_references.contains(&column.name) {
        Role::Excluded
    } else if column.content == Content::Json {
        Role::Other
    } else if config.references.contains(&column.name) || (config.references.is_empty() && holds_paths) {
        Role::Reference
    } else {
        Role::Other
    }
}

/// Surveys every text column of the schema.
///
/// # Errors
/// If the database cannot be read, or a configured reference does not exist.
pub async fn survey(database: &Database, config: &Config) -> Result<Vec<ColumnSurvey>> {
    survey_without(database, config, &[]).await
}

/// Surveys every text column of the schema but those in `known`.
///
/// # Errors
/// As [`survey`].
pub async fn survey_without(database: &Database, config: &Config, known: &[ColumnName]) -> Result<Vec<ColumnSurvey>> {
    let columns = text_columns(database).await?;
    check_names(config, &columns, database)?;
    let mut surveys = Vec::with_capacity(columns.len());
    for column in columns.into_iter().filter(|column| !known.contains(&column.name)) {
        let counts = survey_column(database, &column, &config.mappings).await?;
        surveys.push(ColumnSurvey { column, counts });
    }
    Ok(surveys)
}

/// The references among surveyed columns.
#[must_use]
pub fn references(config: &Config, surveys: &[ColumnSurvey]) -> Vec<TextColumn> {
    let of_role = surveys.iter().filter(|survey| {
        let holds_paths = survey.counts.legacy + survey.counts.modern > 0;
        role(config, &survey.column, holds_paths) == Role::Reference
    });
    of_role.map(|survey| survey.column.clone()).collect()
}

/// Refuses configured columns that are no text columns of base tables.
///
/// # Errors
/// [`Failure::Usage`] with the name.
pub fn check_names(config: &Config, columns: &[TextColumn], database: &Database) -> Result<()> {
    let known = |name: &ColumnName| columns.iter().any(|column| column.name == *name);
    let of = |names: &'static str, list: &[ColumnName]| {
        list.iter().find(|name| !known(name)).map(|name| (names, name.clone()))
    };
    let unknown =
        of("--reference", &config.references).or_else(|| of("--exclude-reference", &config.exclude_references));
    let Some((flag, name)) = unknown else { return Ok(()) };
    let of_table: Vec<&str> = columns
        .iter()
        .filter(|column| column.name.table == name.table)
        .map(|column| column.name.column.as_str())
        .collect();
    let hint = if of_table.is_empty() {
        let schema = database.schema();
        let grant = database.grant("SELECT", &format!("{}.{}", ident(schema), ident(&name.table)));
        format!(
            "`{}` is no base table of `{schema}` that this user can read, or it has no text column; if the user lacks the \
             privilege, run as an administrator of the database: {grant};",
            name.table
        )
    } else {
        format!("text columns of `{}` are: {}", name.table, of_table.join(", "))
    };
    let message = format!("{flag} names {name}, which is no text column of a base table");
    Err(Failure::Usage { message, hint }.into())
}

async fn survey_column(database: &Database, column: &TextColumn, mappings: &Mappings) -> Result<ClassCounts> {
    let clear = count_clear(database, column, mappings).await?;
    let mut counts = ClassCounts { legacy: clear.legacy, modern: clear.modern, ..ClassCounts::default() };
    for_each_candidate(database, column, mappings, Candidates::Unclear, |row| {
        count(&mut counts, column, mappings, &row.value);
        Ok(())
    })
    .await?;
    let known = counts.legacy + counts.modern + counts.out_of_scope + counts.suspect;
    // Writers may be at work between the two reads.
    counts.foreign = clear.total.saturating_sub(known);
    Ok(counts)
}

/// Adds one value to the counts of its column; a JSON document can only mention.
pub(crate) fn count(counts: &mut ClassCounts, column: &TextColumn, mappings: &Mappings, value: &[u8]) {
    let mentions = || std::str::from_utf8(value).is_ok_and(|text| mappings.mentions(text));
    match (column.content, mappings.classify(value)) {
        (Content::Json, _) => counts.mentions += u64::from(mentions()),
        (Content::Text | Content::Binary, Class::Legacy(_)) => counts.legacy += 1,
        (Content::Text | Content::Binary, Class::Modern(_)) => counts.modern += 1,
        (Content::Text | Content::Binary, Class::Suspect(_)) => counts.suspect += 1,
        (Content::Text | Content::Binary, Class::OutOfScope) => {
            counts.out_of_scope += 1;
            counts.mentions += u64::from(mentions());
        }
        (Content::Text | Content::Binary, Class::Foreign) => counts.mentions += u64::from(mentions()),
    }
}
