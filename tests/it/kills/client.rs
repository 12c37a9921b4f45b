//! The application's connection to its database, which may be killed and come back.

use std::time::{Duration, Instant};

use avatar_migrate_kit::Database;
use sqlx::{AssertSqlSafe, MySqlConnection, Row};
use tokio::runtime::Runtime;

/// No crash recovery of so small a database takes longer on a busy machine.
const PATIENCE: Duration = Duration::from_secs(90);
const PAUSE: Duration = Duration::from_millis(10);

/// The database does not answer: no fault of any row or object.
#[derive(Debug)]
pub(crate) struct Down;

pub(crate) struct Client {
    database: Database<'static>,
    runtime: Runtime,
    connection: Option<MySqlConnection>,
}

impl Client {
    pub(crate) fn new(database: &Database<'static>) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        Self { database: database.clone(), runtime, connection: None }
    }

    /// Ids and paths that a statement gives. After a deadlock it is said again, as an application does.
    pub(crate) fn ask(&mut self, sql: &str) -> Result<Vec<(u64, String)>, Down> {
        loop {
            if self.connection.is_none() {
                self.connection = self.runtime.block_on(self.database.connect()).ok();
            }
            let connection = self.connection.as_mut().ok_or(Down)?;
            let asked = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
            match self.runtime.block_on(asked.fetch_all(connection)) {
                Ok(rows) => return Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect()),
                Err(sqlx::Error::Database(error)) => {
                    match error.try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>() {
                        // Lock wait time-out, deadlock, snapshot conflict.
                        Some(error) if matches!(error.number(), 1205 | 1213 | 1020) => {}
                        // Shut down, query interrupted, connection killed.
                        Some(error) if matches!(error.number(), 1053 | 1317 | 1927) => self.connection = None,
                        _ => panic!("{sql}: {error}"),
                    }
                }
                Err(_) => {
                    self.connection = None;
                    return Err(Down);
                }
            }
        }
    }

    /// The same, until the database answers: for statements that may be carried out twice.
    pub(crate) fn insist(&mut self, sql: &str) -> Vec<(u64, String)> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.ask(sql) {
                Ok(rows) => return rows,
                Err(Down) => assert!(Instant::now() < deadline, "the database does not come back: {sql}"),
            }
            std::thread::sleep(PAUSE);
        }
    }

    /// The path of a row.
    pub(crate) fn path_of(&mut self, id: u64) -> Result<Option<String>, Down> {
        Ok(self.ask(&format!("SELECT id, path FROM avatars WHERE id = {id}"))?.pop().map(|(_, path)| path))
    }
}
