//! The lines of a part: written before its rows move, and looked up where it is not known whether they have.

use anyhow::{Context, Result};
use sqlx::MySqlConnection;

use super::{Cutover, KeyRange, Rows};
use crate::database::named::NamedObject;
use crate::database::sql::statement;

impl Cutover<'_> {
    /// Writes a line for each row that is about to move, and locks the row; gives how many.
    pub(super) async fn journal(
        &self,
        connection: &mut MySqlConnection,
        Rows { column, mapping, part }: Rows<'_>,
        range: &KeyRange,
    ) -> Result<u64> {
        let schema = self.database.schema();
        let clash = column.clashes(schema, mapping).map_or(String::new(), |clashes| format!(" AND NOT {clashes}"));
        let named = NamedObject::of(column, mapping, self.ledger);
        let statement = self
            .ledger
            .statement(statement!("cutover_journal.sql"))
            .with("row_key", &column.row_key())
            .with("new_row_key", &column.new_row_key(mapping))
            .with("value", &column.value())
            .with("urls", &named.urls)
            .with("source_key", &named.source_key)
            .with("table", &column.table(schema))
            .with("legacy_prefix", &column.begins_with(mapping.legacy.as_str()))
            .with("verified", &self.verified(range))
            .with("no_clash", &clash)
            .with("rows", &self.piece.rows.condition(column));
        let mut query = sqlx::query(statement.sql()).bind(part);
        for value in self.piece.rows.parameters() {
            query = query.bind(value);
        }
        let written = query.execute(&mut *connection).await?;
        if written.rows_affected() > 0 {
            // Of an INSERT of many lines this is the first one (MariaDB: "LAST_INSERT_ID").
            self.note_part(connection, Rows { column, mapping, part }, written.last_insert_id()).await?;
        }
        Ok(written.rows_affected())
    }

    async fn note_part(
        &self,
        connection: &mut MySqlConnection,
        Rows { column, mapping, part }: Rows<'_>,
        first_line: u64,
    ) -> Result<()> {
        sqlx::query(self.ledger.statement(statement!("cutover_part.sql")).sql())
            .bind(self.ledger.run())
            .bind(part)
            .bind(self.ledger.migration())
            .bind(&column.name.table)
            .bind(&column.name.column)
            .bind(mapping.legacy.as_str().as_bytes())
            .bind(mapping.modern.as_str().as_bytes())
            .bind(first_line)
            .execute(connection)
            .await?;
        Ok(())
    }

    /// How many rows hold the old value of a journal line of this attempt.
    pub(super) async fn unmoved(&self, connection: &mut MySqlConnection) -> Result<u64> {
        let mappings = self.mappings.all();
        let kinds = self.references.iter().flat_map(|column| mappings.iter().map(move |mapping| (column, mapping)));
        let mut unmoved = 0;
        for (part, (column, mapping)) in (self.first + 1..=self.turn.part).zip(kinds.cycle()) {
            self.look_up(connection, part).await?;
            let statement = self
                .ledger
                .statement(statement!("cutover_unmoved.sql"))
                .with("table", &column.table(self.database.schema()))
                .with("legacy_prefix", &column.begins_with(mapping.legacy.as_str()))
                .with("row_key", &column.row_key())
                .with("value", &column.value())
                .with("rows", &self.piece.rows.condition(column));
            let mut query = sqlx::query_scalar(statement.sql()).bind(self.ledger.run()).bind(part);
            for value in self.piece.rows.parameters() {
                query = query.bind(value);
            }
            let rows: u64 = query.fetch_one(&mut *connection).await.context("failed to read the rows")?;
            unmoved += rows;
        }
        Ok(unmoved)
    }

    /// Puts the lines of a part where they can be found by row, until this transaction ends.
    pub(super) async fn look_up(&self, connection: &mut MySqlConnection, part: u32) -> Result<()> {
        let statement = self.ledger.statement(statement!("cutover_moving.sql"));
        sqlx::query(statement.sql()).bind(self.ledger.run()).bind(part).execute(connection).await?;
        Ok(())
    }
}
