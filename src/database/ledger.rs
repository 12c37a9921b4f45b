//! The ledger's schema: created on first use under the lock, and the lines of migrations and runs.

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};
use sqlx::mysql::MySqlPool;

use super::ledger_name::LedgerName;
use super::lock::{Activity, RunLock, this_host};
use super::session::{Database, grant_or, is_denied};
use super::sql::{Statement, statement};
use crate::config::Config;
use crate::failure::{Exit, Failure};

/// The tables of the ledger; left out of every search for references when they live in the migrated schema.
pub(crate) const TABLES: [&str; 13] = [
    "am_migration",
    "am_run",
    "am_object",
    "am_plan",
    "am_row_change",
    "am_part",
    "am_moving",
    "am_resolution",
    "am_share",
    "am_worker",
    "am_range",
    "am_source",
    "am_url",
];

/// The opened ledger of one migration in one run.
#[derive(Clone, Debug)]
pub struct Ledger {
    pool: MySqlPool,
    name: LedgerName,
    migration: u32,
    run: u64,
}

/// A copy that moved rows and whose look after COMMIT is not known to have come to its end for all of them.
#[derive(Clone, Copy, Debug)]
pub struct CutOff {
    /// Its number.
    pub run: u64,
    /// Whether it signed off all the same, so that only objects which failed in that look are in question.
    pub signed_off: bool,
}

impl Ledger {
    /// Creates what is missing of the ledger, and the lines of this migration and this run, which tells its activity from
    /// then on.
    ///
    /// # Errors
    /// [`Failure::Usage`] with the SQL to run if the user may not create or use the schema.
    pub async fn open(
        database: &Database,
        lock: &mut RunLock,
        config: &Config,
        command: &str,
        activity: impl Fn() -> Option<Activity> + Send + 'static,
    ) -> Result<Self> {
        let name = LedgerName::new(&config.ledger_schema);
        create_schema(database, &name).await?;
        create_tables(database, &name).await?;
        let migration = migration_id(database, &name, config).await?;
        let run = sqlx::query(statement!("run_begin.sql").with("ledger", &name.quoted()).sql())
            .bind(migration)
            .bind(command)
            .bind(this_host())
            .bind(std::process::id())
            .bind(lock.connection_id())
            .execute(database.pool())
            .await
            .context("failed to write the run to the ledger")?
            .last_insert_id();
        let ledger = Self { pool: database.pool().clone(), name, migration, run };
        ledger.end_earlier(database.schema()).await?;
        lock.beat(run, activity);
        Ok(ledger)
    }

    /// Whoever is left of an earlier run that was shared has lost its lease now.
    async fn end_earlier(&self, schema: &str) -> Result<()> {
        let shared =
            [statement!("ranges_clear.sql"), statement!("ranges_clear_workers.sql"), statement!("sources_clear.sql")];
        for statement in shared {
            let cleared = sqlx::query(self.statement(statement).sql()).bind(self.run).bind(schema);
            cleared.execute(&self.pool).await.context("failed to write to the ledger")?;
        }
        Ok(())
    }

    /// The ledger of a run that another worker has opened, for one that has joined it.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub async fn join(database: &Database, config: &Config, run: u64) -> Result<Self> {
        let name = LedgerName::new(&config.ledger_schema);
        let migration = migration_id(database, &name, config).await?;
        Ok(Self { pool: database.pool().clone(), name, migration, run })
    }

    /// The same run, held by this process from now on.
    ///
    /// # Errors
    /// If the run is over, another one has begun meanwhile, or the ledger cannot be written.
    pub async fn adopt(
        &self,
        lock: &mut RunLock,
        activity: impl Fn() -> Option<Activity> + Send + 'static,
    ) -> Result<()> {
        lock.adopt(self.run).await?;
        lock.beat(self.run, activity);
        Ok(())
    }

    /// The last part of the run's journal.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub async fn last_part(&self) -> Result<u32> {
        let last = sqlx::query_scalar(self.statement(statement!("journal_last_part.sql")).sql()).bind(self.run);
        let last: u64 = last.fetch_one(&self.pool).await.context("failed to read the journal")?;
        Ok(u32::try_from(last)?)
    }

    /// Records how the run ended.
    ///
    /// # Errors
    /// If the ledger cannot be written.
    pub async fn close(&self, exit: Exit) -> Result<()> {
        let statement = self.statement(statement!("run_end.sql"));
        sqlx::query(statement.sql()).bind(exit.code()).bind(self.run).execute(&self.pool).await?;
        Ok(())
    }

    /// The copies of this migration that moved rows and may have left some of them without the look after COMMIT, oldest
    /// first.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub async fn runs_cut_off(&self) -> Result<Vec<CutOff>> {
        let statement = self.statement(statement!("runs_cut_off.sql"));
        let runs: Vec<(u64, bool)> = sqlx::query_as(statement.sql())
            .bind(self.migration)
            .bind(self.run)
            .fetch_all(&self.pool)
            .await
            .context("failed to read the runs in the ledger")?;
        Ok(runs.into_iter().map(|(run, signed_off)| CutOff { run, signed_off }).collect())
    }

    /// With what other settings the last copy of `schema` was made, if they were others.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub async fn last_copy_elsewhere(&self, schema: &str) -> Result<Option<String>> {
        let statement = self.statement(statement!("last_copy.sql"));
        let last: Option<(u32, String)> =
            sqlx::query_as(statement.sql()).bind(schema).fetch_optional(&self.pool).await?;
        Ok(last.filter(|(migration, _)| *migration != self.migration).map(|(_, settings)| settings))
    }

    /// Stops the grace clock, as legacy rows were seen: the next clean verify starts it.
    ///
    /// # Errors
    /// If the ledger cannot be written, or the lock is lost.
    pub async fn reset_grace_clock(&self, lock: &RunLock) -> Result<()> {
        let statement = self.statement(statement!("grace_clock.sql"));
        let reset = sqlx::query(statement.sql()).bind(false).bind(self.migration);
        reset.execute(&mut *lock.connection().await?).await.context("failed to write to the ledger")?;
        Ok(())
    }

    /// The number of this run.
    #[must_use]
    pub fn run(&self) -> u64 {
        self.run
    }

    pub(crate) fn name(&self) -> &LedgerName {
        &self.name
    }

    pub(crate) fn migration(&self) -> u32 {
        self.migration
    }

    pub(crate) fn pool(&self) -> &MySqlPool {
        &self.pool
    }

    /// A statement with the ledger's schema put in.
    pub(crate) fn statement(&self, statement: Statement) -> Statement {
        statement.with("ledger", &self.name.quoted())
    }
}

/// What identifies a migration: another schema, bucket or mapping is another migration.
pub(crate) fn fingerprint(config: &Config) -> [u8; 32] {
    let parts = [&config.database.schema, &config.source.bucket, &config.target.bucket, &mappings_text(config)];
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.len().to_be_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().into()
}

fn mappings_text(config: &Config) -> String {
    let mappings = config.mappings.all().iter().map(|mapping| {
        let keys = mapping.keys();
        format!("{mapping} ({} -> {})", keys.legacy, keys.modern)
    });
    mappings.chain([format!("pattern {}", config.mappings.pattern())]).collect::<Vec<_>>().join("\n")
}

async fn create_schema(database: &Database, name: &LedgerName) -> Result<()> {
    let exists: Option<String> = sqlx::query_scalar(statement!("schema_exists.sql").sql())
        .bind(name.as_str())
        .fetch_optional(database.pool())
        .await?;
    if exists.is_some() {
        return Ok(());
    }
    let created = sqlx::query(sqlx::AssertSqlSafe(create_statement(name))).execute(database.pool()).await;
    match created {
        Err(error) if is_denied(&error) => {
            let message = format!("the user may not create the ledger's schema {}: {error}", name.quoted());
            let hint = format!("run as an administrator of the database: {}", create_statements(database, name));
            Err(Failure::Usage { message, hint }.into())
        }
        other => other.map(drop).context("failed to create the ledger's schema"),
    }
}

fn create_statement(name: &LedgerName) -> String {
    format!("CREATE DATABASE IF NOT EXISTS {} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin", name.quoted())
}

/// What an administrator runs so that the user of `database` can keep its ledger.
pub(crate) fn create_statements(database: &Database, name: &LedgerName) -> String {
    let grant = database.grant_on_schema("ALL PRIVILEGES", name.as_str());
    format!("{}; {grant};", create_statement(name))
}

async fn create_tables(database: &Database, name: &LedgerName) -> Result<()> {
    let grant = database.grant_on_schema("ALL PRIVILEGES", name.as_str());
    let statements = [
        statement!("ledger/001_migration.sql"),
        statement!("ledger/002_run.sql"),
        statement!("ledger/003_object.sql"),
        statement!("ledger/004_plan.sql"),
        statement!("ledger/005_row_change.sql"),
        statement!("ledger/006_resolution.sql"),
        statement!("ledger/007_share.sql"),
        statement!("ledger/008_worker.sql"),
        statement!("ledger/009_range.sql"),
        statement!("ledger/010_source.sql"),
        statement!("ledger/011_url.sql"),
        statement!("ledger/012_part.sql"),
        statement!("ledger/013_moving.sql"),
    ];
    for statement in statements {
        let sql = statement.with("ledger", &name.quoted()).sql();
        let created = sqlx::query(sql).execute(database.pool()).await;
        grant_or(created, "create the ledger's tables", &grant)?;
    }
    Ok(())
}

async fn migration_id(database: &Database, name: &LedgerName, config: &Config) -> Result<u32> {
    let grant = database.grant_on_schema("ALL PRIVILEGES", name.as_str());
    let fingerprint = fingerprint(config);
    let written = sqlx::query(statement!("migration_put.sql").with("ledger", &name.quoted()).sql())
        .bind(&config.database.schema)
        .bind(&config.source.bucket)
        .bind(&config.target.bucket)
        .bind(mappings_text(config))
        .bind(fingerprint.as_slice())
        .execute(database.pool())
        .await;
    grant_or(written, "write to the ledger", &grant)?;
    let id = sqlx::query_scalar(statement!("migration_get.sql").with("ledger", &name.quoted()).sql())
        .bind(fingerprint.as_slice())
        .fetch_one(database.pool())
        .await;
    grant_or(id, "read the ledger", &grant)
}
