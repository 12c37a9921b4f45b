//! The fence: constraints or triggers by which the database itself refuses legacy paths. Made, read back, taken away.
//!
//! What is read back is compared with what today's mappings and pattern ask for; a fence of other ones is none.

mod clause;

use std::collections::HashMap;

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};
use sqlx::{AssertSqlSafe, Executor, MySqlConnection, Row};

use super::column::TextColumn;
use super::lock::RunLock;
use super::schema::text_columns;
use super::session::{Database, error_number, is_denied};
use super::sql::{Statement, ident, readable, statement};
use crate::config::{ColumnName, Config};
use crate::failure::Failure;
use crate::path::Mappings;
use clause::Clause;

/// What the names of all parts of a fence begin with.
const NAME: &str = "avatar_migrate_fence_";
const EVENTS: [&str; 2] = ["INSERT", "UPDATE"];

/// The fence of one column, as today's mappings and pattern ask for it.
#[derive(Clone, Debug)]
pub struct Fence {
    /// The column that it guards.
    pub column: ColumnName,
    table: String,
    digest: String,
    clause: String,
    body: String,
}

/// What a fence is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FenceKind {
    /// A CHECK constraint.
    Check,
    /// Triggers before INSERT and UPDATE.
    Triggers,
}

impl FenceKind {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Check => "check",
            Self::Triggers => "triggers",
        }
    }
}

/// How setting up the fence of a table ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FenceEnd {
    /// It stands.
    Done,
    /// A row violates it: nothing has changed.
    LegacyLeft,
    /// A transaction held the table for too long: nothing has changed.
    Busy,
}

/// What copying a table would mean, by the server's own estimate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FenceSizes {
    /// Rows.
    pub rows: u64,
    /// Bytes of rows and indexes.
    pub bytes: u64,
}

impl Fence {
    /// The fence that `column` should have.
    #[must_use]
    pub fn of(database: &Database, column: &TextColumn, mappings: &Mappings) -> Self {
        let regexp = mappings.legacy_regexp();
        let mut digest = Sha256::new();
        for part in [&column.name.table, &column.name.column, &regexp] {
            digest.update(part.len().to_be_bytes());
            digest.update(part.as_bytes());
        }
        let digest = digest.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        let legacy = readable(&regexp);
        let clause = format!("{} NOT REGEXP {legacy}", column.bytes(&column.column()));
        let new = column.bytes(&format!("NEW.{}", column.column()));
        let body = statement!("fence_trigger_body.sql").with("legacy", &format!("{new} REGEXP {legacy}"));
        let table = column.table(database.schema());
        Self { column: column.name.clone(), table, digest, clause, body: body.sql().0 }
    }

    /// The name of its constraint: at most 64 characters, and another one for every table, column, mapping and pattern.
    #[must_use]
    pub fn constraint(&self) -> String {
        format!("{NAME}{}", self.digest)
    }

    /// The name of its trigger before `event`.
    fn trigger(&self, event: &str) -> String {
        format!("{NAME}{}_{}", event.to_ascii_lowercase(), self.digest)
    }

    fn triggers(&self) -> impl Iterator<Item = Statement> {
        EVENTS.iter().map(|event| {
            statement!("fence_trigger.sql")
                .with("name", &ident(&self.trigger(event)))
                .with("event", event)
                .with("table", &self.table)
                .with("body", &self.body)
        })
    }

    /// The statements that make the fences of one table, for an administrator's client.
    #[must_use]
    pub fn script(fences: &[&Self], kind: FenceKind) -> Vec<String> {
        match kind {
            FenceKind::Check => alter(fences, &[]).map(|statement| statement.sql().0).into_iter().collect(),
            FenceKind::Triggers => {
                fences.iter().flat_map(|fence| fence.triggers()).map(|statement| statement.sql().0).collect()
            }
        }
    }
}

/// One ALTER for all fences of a table, as each one copies it; `None` without any. A name in `taken` is made anew.
fn alter(fences: &[&Fence], taken: &[String]) -> Option<Statement> {
    let changes = fences.iter().flat_map(|fence| {
        let name = fence.constraint();
        let drop = taken.contains(&name).then(|| format!("DROP CONSTRAINT {}", ident(&name)));
        drop.into_iter().chain([format!("ADD CONSTRAINT {} CHECK ({})", ident(&name), fence.clause)])
    });
    let changes = changes.collect::<Vec<_>>().join(",\n  ");
    let table = &fences.first()?.table;
    Some(statement!("fence_alter.sql").with("table", table).with("changes", &changes))
}

/// What guards each of `fences`' columns now; `None` is unfenced or unknown.
///
/// # Errors
/// If `information_schema` cannot be read.
pub async fn read_fences(database: &Database, fences: &[Fence]) -> Result<Vec<Option<FenceKind>>> {
    let there = Parts::read(database).await?;
    let kind = |fence: &Fence| {
        let clause = Clause::read(&fence.clause);
        let checked =
            there.checks.iter().any(|(table, _, text)| *table == fence.column.table && Clause::read(text) == clause);
        let guards = |event: &str| there.triggers.iter().any(|t| t.event == event && there.guards(t, fence));
        let triggered = EVENTS.iter().all(|event| guards(event));
        if checked { Some(FenceKind::Check) } else { triggered.then_some(FenceKind::Triggers) }
    };
    Ok(fences.iter().map(kind).collect())
}

/// Those of `columns` that are fenced now.
///
/// # Errors
/// As [`read_fences`].
pub async fn fenced_columns(
    database: &Database,
    mappings: &Mappings,
    columns: &[TextColumn],
) -> Result<Vec<ColumnName>> {
    let fences: Vec<Fence> = columns.iter().map(|column| Fence::of(database, column, mappings)).collect();
    let kinds = read_fences(database, &fences).await?;
    let fenced = fences.into_iter().zip(kinds).filter(|(_, kind)| kind.is_some());
    Ok(fenced.map(|(fence, _)| fence.column).collect())
}

/// The fences of today's settings of which at least a part is there, in the whole schema: a column that holds no path any
/// more may still have one.
///
/// # Errors
/// If `information_schema` cannot be read.
pub async fn fences_in_place(database: &Database, config: &Config) -> Result<Vec<Fence>> {
    let there = Parts::read(database).await?;
    let columns = text_columns(database).await?;
    let fences = columns.iter().map(|column| Fence::of(database, column, &config.mappings));
    Ok(fences.filter(|fence| there.check(fence).is_some() || there.triggers_of(fence).next().is_some()).collect())
}

/// Sets up the fences of one table, under the run lock.
///
/// # Errors
/// [`Failure::Usage`] with the GRANT; if the lock is lost or the server fails.
pub async fn add_fences(database: &Database, lock: &RunLock, fences: &[&Fence], kind: FenceKind) -> Result<FenceEnd> {
    let mut connection = seat(database, lock).await?;
    let statements: Vec<Statement> = match kind {
        FenceKind::Check => {
            let there = Parts::read(database).await?;
            let taken: Vec<String> = fences.iter().filter_map(|fence| there.check(fence)).collect();
            alter(fences, &taken).into_iter().collect()
        }
        FenceKind::Triggers => fences.iter().flat_map(|fence| fence.triggers()).collect(),
    };
    let Some(first) = fences.first() else { return Ok(FenceEnd::Done) };
    for statement in statements {
        match change(&mut connection, statement).await {
            Ok(()) => {}
            Err(error) => return end(database, first, kind, error),
        }
    }
    Ok(FenceEnd::Done)
}

/// Takes the fences away, of either kind, under the run lock.
///
/// # Errors
/// As [`add_fences`].
pub async fn drop_fences(database: &Database, lock: &RunLock, fences: &[Fence]) -> Result<FenceEnd> {
    let mut connection = seat(database, lock).await?;
    let there = Parts::read(database).await?;
    for fence in fences {
        let check = there.check(fence).map(|name| {
            let changes = format!("DROP CONSTRAINT {}", ident(&name));
            let alter = statement!("fence_alter.sql").with("table", &fence.table).with("changes", &changes);
            (FenceKind::Check, alter)
        });
        let triggers = there.triggers_of(fence).map(|name| {
            let name = format!("{}.{}", ident(database.schema()), ident(&name));
            (FenceKind::Triggers, statement!("fence_trigger_drop.sql").with("name", &name))
        });
        for (kind, statement) in check.into_iter().chain(triggers) {
            if let Err(error) = change(&mut connection, statement).await {
                return end(database, fence, kind, error);
            }
        }
    }
    Ok(FenceEnd::Done)
}

/// How large the tables of the schema are.
///
/// # Errors
/// If `information_schema` cannot be read.
pub async fn fence_sizes(database: &Database) -> Result<HashMap<String, FenceSizes>> {
    let rows = sqlx::query(statement!("fence_sizes.sql").sql()).bind(database.schema());
    let rows = rows.fetch_all(database.pool()).await.context("failed to read information_schema")?;
    let size = |row: &sqlx::mysql::MySqlRow| {
        let sizes = FenceSizes { rows: row.try_get("table_rows")?, bytes: row.try_get("bytes")? };
        Ok((row.try_get("table_name")?, sizes))
    };
    rows.iter().map(size).collect()
}

/// A connection of its own, after a look at the lock: the lock's own must stay free for its heart-beat.
async fn seat(database: &Database, lock: &RunLock) -> Result<MySqlConnection> {
    drop(lock.connection().await?);
    let mut connection = database.dedicated().await?;
    sqlx::query(statement!("fence_session.sql").sql()).execute(&mut connection).await?;
    Ok(connection)
}

/// As a plain text: triggers cannot be prepared.
async fn change(connection: &mut MySqlConnection, statement: Statement) -> sqlx::Result<()> {
    let sql: AssertSqlSafe<String> = statement.sql();
    connection.execute(sqlx::raw_sql(sql)).await.map(drop)
}

fn end(database: &Database, fence: &Fence, kind: FenceKind, error: sqlx::Error) -> Result<FenceEnd> {
    let privilege = match kind {
        FenceKind::Check => "ALTER",
        FenceKind::Triggers => "TRIGGER",
    };
    match error_number(&error) {
        Some(4025) => Ok(FenceEnd::LegacyLeft),
        Some(1205) => Ok(FenceEnd::Busy),
        Some(1419) => {
            let message = format!("the server takes triggers from administrators only: {error}");
            let hint = "set log_bin_trust_function_creators on the server, or run the SQL of `avatarMigrate fence --trigger` \
                        as an administrator";
            Err(Failure::Usage { message, hint: hint.to_owned() }.into())
        }
        _ if is_denied(&error) => {
            let message = format!("missing privilege to change the fence of {}: {error}", fence.column);
            let grant = database.grant(privilege, &fence.table);
            Err(Failure::Usage { message, hint: format!("run as an administrator of the database: {grant};") }.into())
        }
        _ => Err(error).with_context(|| format!("failed to change the fence of {}", fence.column)),
    }
}

/// Constraints and triggers of the schema.
struct Parts {
    /// Table, name and clause.
    checks: Vec<(String, String, String)>,
    triggers: Vec<Trigger>,
}

struct Trigger {
    table: String,
    name: String,
    event: String,
    body: String,
    place: i64,
}

impl Trigger {
    /// Whether it is a fence, of any column and any settings.
    fn only_refuses(&self) -> bool {
        let body = statement!("fence_trigger_body.sql").with("legacy", "\0").sql().0;
        let around = body.split_once('\0').unwrap_or_default();
        self.name.starts_with(NAME) && self.body.starts_with(around.0) && self.body.ends_with(around.1)
    }
}

impl Parts {
    async fn read(database: &Database) -> Result<Self> {
        let fetch = async |statement: Statement| {
            let rows = sqlx::query(statement.sql()).bind(database.schema()).fetch_all(database.pool()).await;
            rows.context("failed to read information_schema")
        };
        let mut parts = Self { checks: Vec::new(), triggers: Vec::new() };
        for row in fetch(statement!("fence_checks.sql")).await? {
            parts.checks.push((row.try_get("table_name")?, row.try_get("constraint_name")?, row.try_get("clause")?));
        }
        for row in fetch(statement!("fence_triggers.sql")).await? {
            parts.triggers.push(Trigger {
                table: row.try_get("table_name")?,
                name: row.try_get("trigger_name")?,
                event: row.try_get("event")?,
                body: row.try_get("body")?,
                place: row.try_get("place")?,
            });
        }
        Ok(parts)
    }

    /// Whether a trigger is the fence's and sees what is stored: another one that runs after it could store something else.
    fn guards(&self, trigger: &Trigger, fence: &Fence) -> bool {
        let of_table = |other: &&Trigger| other.table == trigger.table && other.event == trigger.event;
        let later = self.triggers.iter().filter(of_table).filter(|other| other.place > trigger.place);
        let is_own = trigger.table == fence.column.table && trigger.body == fence.body;
        is_own && later.into_iter().all(Trigger::only_refuses)
    }

    /// The constraint that has the name of the fence's.
    fn check(&self, fence: &Fence) -> Option<String> {
        let name = fence.constraint();
        let there = self.checks.iter().any(|(table, known, _)| *table == fence.column.table && *known == name);
        there.then_some(name)
    }

    /// The triggers that have the names of the fence's.
    fn triggers_of(&self, fence: &Fence) -> impl Iterator<Item = String> {
        let names = EVENTS.map(|event| fence.trigger(event));
        names.into_iter().filter(|name| self.triggers.iter().any(|trigger| trigger.name == *name))
    }
}
