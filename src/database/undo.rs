//! The undo plan: which journaled rows can go back, and which objects they need.
//!
//! It stands in temporary tables of one session, so that a dry run makes the same plan as a real one, writes nothing that
//! lasts, and a killed run leaves nothing behind. Whatever it says, the transaction looks at the rows again under locks.

mod rows;

pub(crate) use rows::refused_by_schema;

use anyhow::{Context, Result};
use sqlx::{MySqlConnection, QueryBuilder, Row};
use tokio::sync::{MappedMutexGuard, Mutex, MutexGuard};

use super::column::TextColumn;
use super::ledger::Ledger;
use super::ledger_name::LedgerName;
use super::lock::RunLock;
use super::named::NamedByValue;
use super::objects::{LedgerObject, object};
use super::schema::text_columns;
use super::session::{Database, grant_or};
use super::sql::{Statement, statement};
use super::view::LedgerView;
use crate::config::{ColumnName, Config};
use crate::path::ObjectKey;

/// Keys that one statement marks.
const KEYS_A_STATEMENT: usize = 500;
/// The run of a dry run.
const NO_RUN: u64 = 0;

/// The plan of one rollback, and the session that holds it.
#[derive(Debug)]
pub struct Undo<'a> {
    database: &'a Database,
    config: &'a Config,
    seat: Seat<'a>,
    ledger: LedgerName,
    migration: u32,
    run: u64,
    parts: Vec<Part>,
}

/// Whose session it is.
#[derive(Debug)]
enum Seat<'a> {
    /// The lock's own: its transaction cannot outlive the lock.
    Lock(&'a RunLock),
    /// A dry run's.
    Own(Mutex<MySqlConnection>),
}

/// A column of which the journal knows changes.
#[derive(Debug)]
struct Part {
    number: u32,
    name: ColumnName,
    /// As the schema has it today, or why its rows cannot be found.
    column: Result<TextColumn, String>,
    /// Whether its rows are found only once another column of the same key has gone back.
    waits: bool,
}

/// What is known of the source of a row that is to go back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceState {
    /// Not looked at yet.
    Unseen,
    /// It exists: the row may go back.
    There,
    /// It does not exist.
    Missing,
    /// It does not exist, and the application has replaced its twin.
    Superseded,
    /// It does not exist and could not be copied back.
    Failed,
}

impl SourceState {
    fn word(self) -> &'static str {
        match self {
            Self::Unseen => "unseen",
            Self::There => "there",
            Self::Missing => "missing",
            Self::Superseded => "superseded",
            Self::Failed => "failed",
        }
    }
}

/// How many journaled rows are in which state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UndoCounts {
    /// They have gone back.
    pub moved: u64,
    /// The application has changed or deleted them since.
    pub changed: u64,
    /// Rows of a table without a key that cannot be told apart from others.
    pub ambiguous: u64,
    /// A unique key forbids their old path.
    pub conflict: u64,
    /// Their table, column or key is not what it was.
    pub unreachable: u64,
    /// They can go back.
    pub ready: u64,
    /// Their source is not there.
    pub missing: u64,
    /// Their source is not there, and its twin was replaced.
    pub superseded: u64,
    /// Their source could not be copied back.
    pub failed: u64,
}

impl UndoCounts {
    /// All rows that the journal knows.
    #[must_use]
    pub fn planned(&self) -> u64 {
        self.moved + self.changed + self.left()
    }

    /// Those that are neither moved nor changed.
    #[must_use]
    pub fn left(&self) -> u64 {
        let objects = self.ready + self.missing + self.superseded + self.failed;
        self.ambiguous + self.conflict + self.unreachable + objects
    }
}

/// How an attempt to put rows back ended.
#[derive(Debug)]
pub enum PutBack {
    /// So many rows went back.
    Moved(u64),
    /// They did, on a connection that is lost: the plan has to be made again to see what became of each.
    MovedOutOfSight(u64),
    /// Nothing has changed; the plan is lost with its connection and has to be made again.
    RolledBack(anyhow::Error),
}

impl<'a> Undo<'a> {
    /// Makes the plan on the lock's connection.
    ///
    /// # Errors
    /// If the journal or the rows cannot be read; [`crate::failure::Failure::Usage`] with the GRANT.
    pub async fn plan(database: &'a Database, lock: &'a RunLock, ledger: &Ledger, config: &'a Config) -> Result<Self> {
        Self::made(database, config, Seat::Lock(lock), (ledger.migration(), ledger.run())).await
    }

    /// Makes the plan of a dry run, on a connection of its own; `None` without a journal that this user can read.
    ///
    /// # Errors
    /// As [`Self::plan`].
    pub async fn plan_dry(database: &'a Database, config: &'a Config) -> Result<Option<Self>> {
        let Some(view) = LedgerView::open(database, config).await else { return Ok(None) };
        let seat = Seat::Own(Mutex::new(database.dedicated().await?));
        Self::made(database, config, seat, (view.migration(), NO_RUN)).await.map(Some)
    }

    async fn made(
        database: &'a Database,
        config: &'a Config,
        seat: Seat<'a>,
        (migration, run): (u32, u64),
    ) -> Result<Self> {
        let ledger = LedgerName::new(&config.ledger_schema);
        let mut undo = Self { database, config, seat, ledger, migration, run, parts: Vec::new() };
        undo.parts = undo.find_parts().await?;
        undo.make_tables().await?;
        undo.fill().await.context("failed to read the journal")?;
        for part in &undo.parts {
            undo.look_for_rows(part).await?;
        }
        undo.recognise_done().await?;
        undo.execute(statement!("undo_objects.sql")).await?;
        Ok(undo)
    }

    /// The columns whose rows can be found.
    #[must_use]
    pub fn columns(&self) -> Vec<TextColumn> {
        self.parts.iter().filter_map(|part| part.column.clone().ok()).collect()
    }

    /// Why rows of some columns cannot be found, a sentence each.
    #[must_use]
    pub fn unreachable(&self) -> Vec<String> {
        self.parts.iter().filter_map(|part| part.column.as_ref().err().cloned()).collect()
    }

    /// How the rows stand.
    ///
    /// # Errors
    /// If the connection is lost.
    pub async fn counts(&self) -> Result<UndoCounts> {
        let statement = self.statement(statement!("undo_counts.sql"));
        let rows = sqlx::query(statement.sql()).fetch_all(&mut *self.connection().await?).await?;
        let mut counts = UndoCounts::default();
        for row in rows {
            let (state, object): (String, String) = (row.try_get("state")?, row.try_get("object")?);
            let of_state = match (state.as_str(), object.as_str()) {
                ("moved", _) => &mut counts.moved,
                ("changed", _) => &mut counts.changed,
                ("ambiguous", _) => &mut counts.ambiguous,
                ("conflict", _) => &mut counts.conflict,
                ("planned", _) => &mut counts.unreachable,
                (_, "missing") => &mut counts.missing,
                (_, "superseded") => &mut counts.superseded,
                (_, "failed") => &mut counts.failed,
                (_, _) => &mut counts.ready,
            };
            *of_state += row.try_get::<u64, _>("line_count")?;
        }
        Ok(counts)
    }

    /// The next objects whose source is in `state`, in key order after `after`.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub async fn objects(
        &self,
        state: SourceState,
        after: Option<&ObjectKey>,
        limit: usize,
    ) -> Result<Vec<LedgerObject>> {
        let statement = self.statement(statement!("undo_objects_window.sql"));
        let rows = sqlx::query(statement.sql())
            .bind(self.migration)
            .bind(state.word())
            .bind(after.map_or("", ObjectKey::as_str).as_bytes())
            .bind(u64::try_from(limit)?)
            .fetch_all(&mut *self.connection().await?)
            .await
            .context("failed to read objects from the ledger")?;
        rows.iter().map(object).collect()
    }

    /// Says what was seen of sources.
    ///
    /// # Errors
    /// If the connection is lost.
    pub async fn mark(&self, state: SourceState, sources: &[ObjectKey]) -> Result<()> {
        for batch in sources.chunks(KEYS_A_STATEMENT) {
            let mut query = QueryBuilder::new(self.statement(statement!("undo_objects_mark.sql")).sql().0);
            query.push(" ").push_bind(state.word()).push(" WHERE source_key IN (");
            let mut keys = query.separated(", ");
            for key in batch {
                keys.push_bind(key.as_str().as_bytes());
            }
            query.push(")");
            query.build().execute(&mut *self.connection().await?).await?;
        }
        Ok(())
    }

    async fn find_parts(&self) -> Result<Vec<Part>> {
        let statement = self.statement(statement!("undo_columns.sql"));
        let query = sqlx::query(statement.sql()).bind(self.migration).bind(self.run);
        let rows = query.fetch_all(self.database.pool()).await;
        let rows = rows.context("failed to read the journal")?;
        let known = text_columns(self.database).await?;
        let mut parts: Vec<Part> = Vec::new();
        for (number, row) in (1..).zip(rows) {
            let name = ColumnName { table: row.try_get("table_name")?, column: row.try_get("column_name")? };
            let keyed: i64 = row.try_get("keyed")?;
            let column = reachable(&name, keyed != 0, known.iter().find(|column| column.name == name));
            parts.push(Part { number, name, column, waits: false });
        }
        let names: Vec<ColumnName> = parts.iter().map(|part| part.name.clone()).collect();
        for part in &mut parts {
            let key = part.column.as_ref().map(|column| column.key.as_slice()).unwrap_or_default();
            let of_table = names.iter().filter(|name| name.table == part.name.table && name.column != part.name.column);
            part.waits = of_table.into_iter().any(|name| key.iter().any(|column| column.name == name.column));
        }
        Ok(parts)
    }

    async fn make_tables(&self) -> Result<()> {
        let grant = self.database.grant_on_schema("CREATE TEMPORARY TABLES", self.ledger.as_str());
        let tables = [
            statement!("undo_tables_line.sql"),
            statement!("undo_tables_group.sql"),
            statement!("undo_tables_row.sql"),
            statement!("undo_tables_object.sql"),
        ];
        for table in tables {
            let made = sqlx::query(self.statement(table).sql()).execute(&mut *self.connection().await?).await;
            grant_or(made, "make the temporary tables of a rollback", &grant)?;
        }
        Ok(())
    }

    async fn fill(&self) -> Result<()> {
        let named = NamedByValue::of(&self.config.mappings, "j.old_value", "u.source_key");
        for part in &self.parts {
            let statement = self
                .statement(statement!("undo_lines.sql"))
                .with("mapping", &named.mapping)
                .with("source_key", &named.source_key)
                .with("target_key", &named.target_key);
            sqlx::query(statement.sql())
                .bind(part.number)
                .bind(self.migration)
                .bind(&part.name.table)
                .bind(&part.name.column)
                .bind(self.run)
                .execute(&mut *self.connection().await?)
                .await?;
        }
        self.execute(statement!("undo_groups.sql")).await
    }

    /// What this run has put back already, if this is its second plan.
    async fn recognise_done(&self) -> Result<()> {
        let statement = self.statement(statement!("undo_done.sql"));
        sqlx::query(statement.sql()).bind(self.run).execute(&mut *self.connection().await?).await?;
        Ok(())
    }

    async fn execute(&self, statement: Statement) -> Result<()> {
        let statement = self.statement(statement);
        sqlx::query(statement.sql()).execute(&mut *self.connection().await?).await?;
        Ok(())
    }

    async fn connection(&self) -> Result<MappedMutexGuard<'_, MySqlConnection>> {
        match &self.seat {
            Seat::Lock(lock) => lock.connection().await,
            Seat::Own(connection) => Ok(MutexGuard::map(connection.lock().await, |connection| connection)),
        }
    }

    fn statement(&self, statement: Statement) -> Statement {
        statement.with("ledger", &self.ledger.quoted())
    }
}

/// The column, if its rows can still be told apart the way the journal did it.
fn reachable(name: &ColumnName, keyed: bool, column: Option<&TextColumn>) -> Result<TextColumn, String> {
    let column = column.ok_or_else(|| format!("{name} does not exist any more, or cannot be seen"))?;
    match (keyed, column.key.is_empty()) {
        (true, true) => Err(format!("the primary key of {} is gone or cannot be seen", name.table)),
        (false, false) => Err(format!("{} got its primary key after its rows were moved", name.table)),
        (true, false) | (false, true) => Ok(column.clone()),
    }
}
