//! The update of a part: the rows that its journal lines have locked, and no others.

use anyhow::Result;
use sqlx::MySqlConnection;

use super::{Cutover, KeyRange, Rows};
use crate::database::named::NamedObject;
use crate::database::sql::statement;

/// What the update looks up for each row with a legacy path.
///
/// Without a look at its journal line, other rows could match that were written after the lines: as those of the lines are locked
/// with the values that were read, and all match, equal numbers tell that there are none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lookup {
    /// Nothing: all of them stand in the journal.
    Nothing,
    /// Its object, as the journal does.
    Object,
    /// Its journal line: no row that is written meanwhile matches.
    Line,
}

impl Cutover<'_> {
    /// The least that tells the rows of so many journal lines from others.
    pub(super) async fn lookup(
        &self,
        connection: &mut MySqlConnection,
        rows: Rows<'_>,
        range: &KeyRange,
        lines: u64,
    ) -> Result<Lookup> {
        if self.raced {
            return Ok(Lookup::Line);
        }
        let has_bounds = range.after.is_some() || range.through.is_some();
        if !has_bounds && self.legacy(connection, rows).await? == lines {
            return Ok(Lookup::Nothing);
        }
        // While rows move, whether the unique key forbids a new path is another question than before.
        let may_clash = rows.column.clashes(self.database.schema(), rows.mapping).is_some();
        Ok(if may_clash { Lookup::Line } else { Lookup::Object })
    }

    /// How many rows hold a legacy path.
    async fn legacy(&self, connection: &mut MySqlConnection, Rows { column, mapping, .. }: Rows<'_>) -> Result<u64> {
        let statement = self
            .ledger
            .statement(statement!("cutover_legacy.sql"))
            .with("table", &column.table(self.database.schema()))
            .with("legacy_prefix", &column.begins_with(mapping.legacy.as_str()))
            .with("rows", &self.piece.rows.condition(column));
        let mut query = sqlx::query_scalar(statement.sql());
        for value in self.piece.rows.parameters() {
            query = query.bind(value);
        }
        Ok(query.fetch_one(connection).await?)
    }

    /// Moves the rows of a part; gives how many matched.
    pub(super) async fn update(
        &self,
        connection: &mut MySqlConnection,
        Rows { column, mapping, part }: Rows<'_>,
        range: &KeyRange,
        lookup: Lookup,
    ) -> Result<u64> {
        let named = NamedObject::of(column, mapping, self.ledger);
        let statement = match lookup {
            Lookup::Nothing => statement!("cutover_update_all.sql"),
            Lookup::Object => statement!("cutover_update.sql")
                .with("objects", &named.objects)
                .with("named", &named.condition)
                .with("verified", &self.verified(range)),
            Lookup::Line => {
                statement!("cutover_update_rows.sql").with("row_key", &column.row_key()).with("value", &column.value())
            }
        };
        let statement = self
            .ledger
            .statement(statement)
            .with("table", &column.table(self.database.schema()))
            .with("assignments", &column.assignments(&column.modern_value(mapping)))
            .with("legacy_prefix", &column.begins_with(mapping.legacy.as_str()))
            .with("rows", &self.piece.rows.condition(column));
        let mut query = sqlx::query(statement.sql());
        if lookup == Lookup::Line {
            self.look_up(connection, part).await?;
            query = query.bind(self.ledger.run()).bind(part);
        }
        for value in self.piece.rows.parameters() {
            query = query.bind(value);
        }
        // sqlx always asks for FOUND_ROWS, so that this is the number of rows matched.
        let matched = query.execute(&mut *connection).await?.rows_affected();
        if lookup == Lookup::Line {
            let clear = sqlx::query(self.ledger.statement(statement!("cutover_moving_clear.sql")).sql());
            clear.bind(self.ledger.run()).execute(connection).await?;
        }
        Ok(matched)
    }
}
