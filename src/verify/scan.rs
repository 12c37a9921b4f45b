//! Every text column of the schema, read afresh and sorted on local disk.

use anyhow::Result;

use super::item::{Place, RowItem, RowKind};
use super::{Counts, Sink};
use crate::config::{ColumnName, Config};
use crate::database::{
    CandidateRow, Candidates, Content, Database, Role, TextColumn, check_names, count_clear, for_each_candidate, role,
    text_columns,
};
use crate::finding::{Finding, RowPlace, Status};
use crate::path::{Class, ObjectKey};
use crate::spool::{Sorted, Sorter};

/// What the scan of the rows gave.
pub(super) struct ScannedRows {
    pub(super) rows: Sorted<RowItem>,
    pub(super) columns: Vec<ColumnName>,
    pub(super) references: Vec<TextColumn>,
}

/// Reads every text column; rows without an object (suspect, out of scope) become findings at once.
pub(super) async fn scan_rows(
    database: &Database,
    config: &Config,
    counts: &mut Counts,
    sink: &mut impl Sink,
) -> Result<ScannedRows> {
    let columns = text_columns(database).await?;
    check_names(config, &columns, database)?;
    let mut sorter = Sorter::new(&config.temp_dir);
    let mut references = Vec::new();
    for (column, index) in columns.iter().zip(0_u32..) {
        let mut of_column = Counts::default();
        for_each_candidate(database, column, &config.mappings, Candidates::All, |row| {
            sink.advance(1);
            let mut scanner = Scanner { config, column, index, counts: &mut of_column, sink, sorter: &mut sorter };
            scanner.take(row)
        })
        .await?;
        let holds_paths = of_column.legacy + of_column.modern > 0;
        if role(config, column, holds_paths) == Role::Reference {
            let total = count_clear(database, column, &config.mappings).await?.total;
            let known = of_column.legacy + of_column.modern + of_column.out_of_scope + of_column.suspect;
            of_column.foreign = total.saturating_sub(known);
            references.push(column.clone());
        }
        counts.add(of_column);
    }
    let columns = columns.into_iter().map(|column| column.name).collect();
    Ok(ScannedRows { rows: sorter.finish()?, columns, references })
}

struct Scanner<'a, S> {
    config: &'a Config,
    column: &'a TextColumn,
    index: u32,
    counts: &'a mut Counts,
    sink: &'a mut S,
    sorter: &'a mut Sorter<RowItem>,
}

impl<S: Sink> Scanner<'_, S> {
    fn take(&mut self, row: CandidateRow) -> Result<()> {
        let mappings = &self.config.mappings;
        let class = match self.column.content {
            Content::Json => Class::Foreign,
            Content::Text | Content::Binary => mappings.classify(&row.value),
        };
        match class {
            Class::Legacy(path) => {
                let kind = RowKind::of_legacy(role(self.config, self.column, true), row.clashes);
                self.count_legacy(kind);
                let modern = mappings.modern(&path);
                self.push(kind, path.source(), row.primary_key, (path.as_str(), modern.as_str()))
            }
            Class::Modern(path) => {
                let kind = RowKind::of_modern(role(self.config, self.column, true));
                self.counts.modern += u64::from(kind == RowKind::Modern);
                let legacy = mappings.legacy(&path);
                self.push(kind, path.source(), row.primary_key, (legacy.as_str(), path.as_str()))
            }
            Class::Suspect(why) => {
                if role(self.config, self.column, true) == Role::Excluded {
                    return Ok(());
                }
                self.counts.suspect += 1;
                self.report(Status::Suspect, row, why.reason())
            }
            Class::OutOfScope => {
                self.mention(&row);
                self.counts.out_of_scope += 1;
                self.report(Status::OutOfScope, row, "the name does not fit the pattern: never touched")
            }
            Class::Foreign => {
                self.mention(&row);
                Ok(())
            }
        }
    }

    fn count_legacy(&mut self, kind: RowKind) {
        match kind {
            RowKind::Legacy | RowKind::Clashing => self.counts.legacy += 1,
            RowKind::Unlisted => self.counts.unlisted(&self.column.name),
            RowKind::Silent | RowKind::Modern => self.counts.excluded += 1,
        }
    }

    fn push(&mut self, kind: RowKind, source: &ObjectKey, primary_key: String, paths: (&str, &str)) -> Result<()> {
        let Some(place) = Place::of_source(&self.config.mappings, source) else { return Ok(()) };
        let item = RowItem {
            place,
            column: self.index,
            primary_key,
            legacy_path: paths.0.to_owned(),
            modern_path: paths.1.to_owned(),
            kind,
        };
        let weight = item.weight();
        self.sorter.push(item, weight)
    }

    fn mention(&mut self, row: &CandidateRow) {
        let text = std::str::from_utf8(&row.value);
        if text.is_ok_and(|text| self.config.mappings.mentions(text)) {
            self.counts.mention(&self.column.name, &row.primary_key);
        }
    }

    fn report(&mut self, status: Status, row: CandidateRow, detail: &str) -> Result<()> {
        let place = RowPlace {
            table: self.column.name.table.clone(),
            column: self.column.name.column.clone(),
            primary_key: row.primary_key,
        };
        let mut finding = Finding::new(status, detail);
        finding.row = Some(place);
        finding.legacy_path = Some(String::from_utf8_lossy(&row.value).into_owned());
        self.counts.found(&finding);
        self.sink.finding(finding)
    }
}
