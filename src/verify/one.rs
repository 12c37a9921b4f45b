//! One object: the rows that name it, its twins, and the judgement that a whole verify would come to.

use std::sync::Arc;

use anyhow::Result;

use super::Listed;
use super::item::{Place, RowItem, RowKind};
use super::judge::{Group, judge};
use super::objects::head;
use crate::config::{ColumnName, Config};
use crate::database::{
    CandidateRow, Candidates, Content, Database, Decisions, LedgerView, TextColumn, check_names, for_each_candidate,
    role, text_columns,
};
use crate::finding::{Finding, RowPlace};
use crate::path::{Class, ObjectKey};
use crate::store::{ObjectInfo, ReadObjects};

/// Rows that are kept; a default picture may have millions.
const ROWS_MAX: usize = 100;

/// What is known of one object.
#[derive(Clone, Debug, Default)]
pub struct OneObject {
    /// The legacy object, if it exists.
    pub source: Option<ObjectInfo>,
    /// The production object, if it exists.
    pub target: Option<ObjectInfo>,
    /// The first rows that name it.
    pub rows: Vec<NamingRow>,
    /// How many rows name it.
    pub rows_total: u64,
    /// If no row names it: what that means for the object.
    pub orphan: Option<Finding>,
}

/// A row that names an object, or that holds a text.
#[derive(Clone, Debug)]
pub struct NamingRow {
    /// Where it stands.
    pub place: RowPlace,
    /// What it holds.
    pub value: String,
    /// What a verify finds of it; `None` where it gets no line, as its column is left out of the migration.
    pub finding: Option<Finding>,
}

/// Looks at the object with these twins, or only for rows that hold exactly `given`.
///
/// # Errors
/// If rows or buckets cannot be read.
pub async fn examine<R: ReadObjects>(
    database: &Database,
    (source, target): (&R, &R),
    config: &Config,
    given: &str,
    twins: Option<(&ObjectKey, &ObjectKey)>,
) -> Result<OneObject> {
    let found = rows(database, config, given, twins.map(|(source, _)| source)).await?;
    let Some((source_key, target_key)) = twins else { return Ok(found.without_object()) };
    let (ours, theirs) = futures::future::try_join(head(source, source_key), head(target, target_key)).await?;
    let view = LedgerView::open(database, config).await;
    let decisions = Decisions::seen(view.as_ref()).await;
    let recorded = match &view {
        Some(view) => view.objects_from(source_key, 1).await?.pop().filter(|object| object.source == *source_key),
        None => None,
    };
    let group = Group {
        source_key: source_key.clone(),
        target_key: target_key.clone(),
        source: ours,
        target: theirs,
        listed: Listed::default(),
        as_of: (None, None),
        recorded,
        rows: found.rows.iter().filter_map(|row| row.item.clone()).collect(),
        verdict: Arc::default(),
        first: true,
    };
    let verdict = judge((source, target), config.check, &group, &decisions).await?;
    let recorded = group.recorded.as_ref();
    let orphan = if found.total == 0 { verdict.of_orphan(recorded) } else { None };
    let judged = found.rows.into_iter().map(|row| NamingRow {
        finding: row.item.as_ref().and_then(|item| verdict.of_row(item, recorded)),
        place: row.place,
        value: row.value,
    });
    let (rows, rows_total) = (judged.collect(), found.total);
    Ok(OneObject { source: verdict.source, target: verdict.target, rows, rows_total, orphan })
}

#[derive(Default)]
struct Found {
    rows: Vec<FoundRow>,
    total: u64,
}

struct FoundRow {
    place: RowPlace,
    value: String,
    /// What it means for the object; `None` if it only holds the text.
    item: Option<RowItem>,
}

impl Found {
    fn without_object(self) -> OneObject {
        let rows = self.rows.into_iter().map(|row| NamingRow { place: row.place, value: row.value, finding: None });
        OneObject { rows: rows.collect(), rows_total: self.total, ..OneObject::default() }
    }
}

/// The rows of all text columns that name the object, or that hold exactly `given`.
async fn rows(database: &Database, config: &Config, given: &str, object: Option<&ObjectKey>) -> Result<Found> {
    let columns = text_columns(database).await?;
    check_names(config, &columns, database)?;
    let mut found = Found::default();
    let paths = object.into_iter().flat_map(|object| config.mappings.paths_of(object));
    let texts: Vec<String> = paths.flat_map(|(legacy, modern)| [legacy, modern]).chain([given.to_owned()]).collect();
    for column in columns.iter().filter(|column| column.content != Content::Json) {
        for_each_candidate(database, column, &config.mappings, Candidates::Beginning(&texts), |row| {
            let item = object.and_then(|object| item(config, column, &row, object));
            if item.is_some() || (object.is_none() && row.value == given.as_bytes()) {
                found.total += 1;
                if found.rows.len() < ROWS_MAX {
                    let ColumnName { table, column } = column.name.clone();
                    let place = RowPlace { table, column, primary_key: row.primary_key };
                    found.rows.push(FoundRow { place, value: String::from_utf8_lossy(&row.value).into(), item });
                }
            }
            Ok(())
        })
        .await?;
    }
    Ok(found)
}

/// The row as verify would take it, if it names the object.
fn item(config: &Config, column: &TextColumn, row: &CandidateRow, object: &ObjectKey) -> Option<RowItem> {
    let mappings = &config.mappings;
    let role = role(config, column, true);
    let (kind, source, legacy_path, modern_path) = match mappings.classify(&row.value) {
        Class::Legacy(path) => {
            let modern = mappings.modern(&path).as_str().to_owned();
            (RowKind::of_legacy(role, row.clashes), path.source().clone(), path.as_str().to_owned(), modern)
        }
        Class::Modern(path) => {
            let legacy = mappings.legacy(&path).as_str().to_owned();
            (RowKind::of_modern(role), path.source().clone(), legacy, path.as_str().to_owned())
        }
        Class::Suspect(_) | Class::OutOfScope | Class::Foreign => return None,
    };
    if source != *object {
        return None;
    }
    let place = Place::of_source(mappings, &source)?;
    Some(RowItem { place, column: 0, primary_key: row.primary_key.clone(), legacy_path, modern_path, kind })
}
