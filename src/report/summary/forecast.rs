//! What a copy takes, before it is made. What could not be known of the database is null, never 0.

use std::time::Duration;

use indicatif::BinaryBytes;
use serde::{Serialize, Serializer};

use super::{Requests, seconds};
use crate::report::text::{counted, duration};

/// What a real run would take.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Forecast {
    /// The S3 requests of all kinds.
    pub requests: u64,
    /// The bytes to copy.
    pub bytes: u64,
    /// How long.
    #[serde(rename = "seconds", serialize_with = "seconds")]
    pub elapsed: Duration,
    /// The price of the requests in US dollars.
    #[serde(serialize_with = "dollars")]
    pub cost_usd: f64,
    /// The S3 requests by kind.
    pub by_type: Requests,
    /// What the rows take of the database.
    pub database: DatabaseForecast,
    /// Which prices these are. Not a part of the JSON.
    #[serde(skip)]
    pub prices: String,
}

/// What the rows take of the database.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct DatabaseForecast {
    /// The rows of each reference.
    pub references: Vec<RowsForecast>,
    /// The binary log of the whole run in bytes, what the ledger writes included; 0 if the server keeps none.
    pub binlog_bytes: Option<u64>,
    /// What of it the plan writes in a single statement.
    pub plan_binlog_bytes: u64,
    /// What the ledger will hold on disk, in bytes.
    pub ledger_bytes: Option<u64>,
    /// All rows in one transaction.
    pub at_once: TransactionForecast,
    /// The largest transaction, if rows move in several ones.
    pub piece: TransactionForecast,
    /// How many of these there are.
    pub pieces: u64,
    /// Whether rows will move in pieces, as `--transaction-rows` says.
    pub in_pieces: bool,
    /// What the server takes.
    pub limits: ServerLimits,
    /// What one should know before, each a sentence. Not a part of the JSON's contract: texts change.
    pub advice: Vec<String>,
}

/// The rows of a reference that will move.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RowsForecast {
    /// The reference, `table.column`.
    pub reference: String,
    /// How many rows.
    pub rows: u64,
    /// The bytes of a row in the binary log with all its columns, on the average of some.
    pub row_bytes: Option<u64>,
}

/// What a transaction takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct TransactionForecast {
    /// Rows that move.
    pub rows: u64,
    /// How long, roughly; a replica takes about as long to follow.
    #[serde(rename = "seconds", serialize_with = "seconds")]
    pub elapsed: Duration,
    /// Bytes of binary log: all of them go through the binary log's cache.
    pub binlog_bytes: Option<u64>,
    /// Bytes of undo, kept until COMMIT and until no older reader needs them.
    pub undo_bytes: Option<u64>,
    /// Bytes of redo.
    pub redo_bytes: Option<u64>,
    /// Bytes of memory for row locks.
    pub lock_bytes: Option<u64>,
}

impl DatabaseForecast {
    /// The largest transaction that there will be.
    #[must_use]
    pub fn largest(&self) -> &TransactionForecast {
        if self.in_pieces { &self.piece } else { &self.at_once }
    }

    /// Whether the server will refuse the largest transaction: error 1197.
    #[must_use]
    pub fn is_too_large(&self) -> bool {
        self.largest().binlog_bytes.is_some_and(|bytes| bytes > self.limits.binlog_cache_bytes)
    }
}

impl TransactionForecast {
    /// What it takes, in words.
    #[must_use]
    pub fn sentence(&self) -> String {
        let time = if self.elapsed < Duration::from_secs(1) {
            "less than a second".to_owned()
        } else {
            format!("about {}", duration(self.elapsed))
        };
        let rows = counted(self.rows, "row", "rows");
        let (log, undo) = (amount(self.binlog_bytes), amount(self.undo_bytes));
        let (redo, locks) = (amount(self.redo_bytes), amount(self.lock_bytes));
        format!("{rows} at once: {time}; binary log {log}, undo {undo}, redo {redo}, locks {locks}")
    }
}

/// `12.00 MiB`, `none` or `unknown`.
#[must_use]
pub fn amount(bytes: Option<u64>) -> String {
    match bytes {
        None => "unknown".to_owned(),
        Some(0) => "none".to_owned(),
        Some(bytes) => BinaryBytes(bytes).to_string(),
    }
}

/// What the server takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ServerLimits {
    /// `max_binlog_cache_size`.
    pub binlog_cache_bytes: u64,
    /// `innodb_log_file_size`.
    pub redo_log_bytes: u64,
    /// `innodb_buffer_pool_size`.
    pub buffer_pool_bytes: u64,
}

/// Rounded to a hundredth of a cent: what is behind that is noise of the arithmetic.
fn dollars<S: Serializer>(amount: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64((amount * 1e4).round() / 1e4)
}
