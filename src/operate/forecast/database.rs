//! What moving rows takes of MariaDB: binary log, undo, redo, locks, the ledger on disk, time.
//!
//! The binary log is counted, column by column: an UPDATE in row format holds an image of the row before and one after it, an
//! INSERT one (MariaDB: "Rows_event_v1"; "Replication and Binary Log System Variables", `binlog_row_image`). Events hold
//! 8 KiB of images each, so that their heads are less than 1 %. `tests/it/weight.rs` holds it against the server.
//!
//! The others are measured, on MariaDB 10.11 with 200,000 rows each of 51, 131 and 541 bytes, with paths of 24 and of
//! 104: see at each constant what, and `tests/it/weight.rs` again. No figure is given for other engines than InnoDB.

use std::time::Duration;

use indicatif::{BinaryBytes, HumanCount};

use crate::config::{ColumnName, TransactionRows};
use crate::database::{RowSizes, ServerFacts};
use crate::report::summary::{DatabaseForecast, RowsForecast, ServerLimits, TransactionForecast};
use crate::report::text::{counted, duration, printable};

/// Rows that the cutover moves a second, journal included: 20 s a million, amid the 7 to 40 s measured on the classic table.
pub(super) const ROWS_A_SECOND: f64 = 50_000.0;
/// A piece that holds up statements of the application for about a second (the bench's row `writers`).
const PIECE: u64 = 10_000;
/// A transaction that lasts longer holds up writers and replicas more than most bear.
const LONG: Duration = Duration::from_secs(60);
/// Of an update and of a journal line besides path and key: 77.5 bytes in all with 24 and 8 of these, 158 with 104 and 8.
const UNDO_FRAME: f64 = 45.0;
/// 794 bytes a row for an image of 51 bytes and a path of 24, 3,687 for 541 and 24, 1,615 for 131 and 104: within 4 %. Less where
/// rows that grow leave their pages whole: two thirds of it in `tests/it/weight.rs`.
const REDO: (f64, f64, f64) = (403.0, 5.6, 4.4);
/// InnoDB locks rows of a page together: 106 to 121 bytes a page.
const LOCK_BYTES_A_PAGE: f64 = 115.0;
/// Bytes of a page that hold rows when it was filled in order, and those of a row besides its columns.
const PAGE_BYTES: f64 = 15_360.0;
const ROW_FRAME: f64 = 22.0;
/// InnoDB refuses locks once they fill three quarters of the buffer pool (error 1206); other users need room too.
const LOCKS_OF_POOL: u64 = 4;
/// Room that tables keep: a third more than their rows, half as much again where names and rows are in other orders.
const TABLE_ROOM: f64 = 1.3;
/// An ETag with its length.
const ETAG_BYTES: f64 = 33.0;

/// The rows of one reference that will move.
#[derive(Clone, Debug)]
pub struct MovingRows {
    /// The column.
    pub name: ColumnName,
    /// How many.
    pub rows: u64,
    /// What one of them is; `None` if this user may not see it.
    pub sizes: Option<RowSizes>,
    /// Whether its table is InnoDB's.
    pub innodb: bool,
}

/// The objects that the rows name.
#[derive(Clone, Copy, Debug, Default)]
pub struct NamedObjects {
    /// How many.
    pub objects: u64,
    /// The bytes of all their keys, both of each.
    pub key_bytes: u64,
}

impl NamedObjects {
    /// As if each row named an object of its own, under a key as long as its path.
    #[must_use]
    pub fn one_each(moving: &[MovingRows]) -> Self {
        let bytes = |of: &MovingRows| of.sizes.map_or(0.0, |sizes| 2.0 * sizes.path * float(of.rows));
        let objects = moving.iter().map(|of| of.rows).sum();
        Self { objects, key_bytes: whole(moving.iter().map(bytes).sum()) }
    }
}

/// What a row takes, on the average.
#[derive(Clone, Copy, Debug, Default)]
struct Weight {
    binlog: Option<f64>,
    undo: Option<f64>,
    redo: Option<f64>,
    locks: Option<f64>,
    journal_on_disk: Option<f64>,
}

/// Weighs the rows that will move. `growth` is how many bytes a path grows by.
#[must_use]
pub fn weigh(
    moving: &[MovingRows],
    named: NamedObjects,
    growth: f64,
    server: &ServerFacts,
    chunk: TransactionRows,
) -> DatabaseForecast {
    let rows: u64 = moving.iter().map(|of| of.rows).sum();
    let weight = Weight::of_all(moving, named, growth, server);
    let (piece, in_pieces) = match chunk {
        TransactionRows::All => (PIECE, false),
        TransactionRows::AtMost(most) => (most, true),
    };
    let lines = ledger_lines(named);
    let texts = if server.binlog_annotates { annotations(named) } else { 0.0 };
    let mut forecast = DatabaseForecast {
        references: moving.iter().map(described).collect(),
        binlog_bytes: weight
            .binlog
            .map(|of_row| if server.log_bin { whole(of_row * float(rows) + lines.0 + texts) } else { 0 }),
        plan_binlog_bytes: if server.log_bin { whole(plan_lines(named)) } else { 0 },
        ledger_bytes: weight.journal_on_disk.map(|of_row| whole((of_row * float(rows) + lines.1) * TABLE_ROOM)),
        at_once: weight.transaction(rows),
        piece: weight.transaction(rows.min(piece)),
        pieces: rows.div_ceil(piece.max(1)),
        in_pieces,
        limits: ServerLimits {
            binlog_cache_bytes: server.binlog_cache_max,
            redo_log_bytes: server.redo_log,
            buffer_pool_bytes: server.buffer_pool,
        },
        advice: Vec::new(),
    };
    forecast.advice = advice(&forecast, moving, server);
    forecast
}

/// What one should know before the rows move: what the server would refuse first.
fn advice(forecast: &DatabaseForecast, moving: &[MovingRows], server: &ServerFacts) -> Vec<String> {
    let DatabaseForecast { at_once, piece, limits, in_pieces, .. } = forecast;
    let mut advice = Vec::new();
    let largest = if *in_pieces { piece } else { at_once };
    if let Some(log) = largest.binlog_bytes.filter(|log| *log > limits.binlog_cache_bytes) {
        let fits = largest.rows.saturating_mul(limits.binlog_cache_bytes / 2) / log.max(1);
        advice.push(format!(
            "a transaction of {} writes {} to the binary log, and max_binlog_cache_size is {}: give --transaction-rows {}, or \
             raise it",
            counted(largest.rows, "row", "rows"),
            BinaryBytes(log),
            BinaryBytes(limits.binlog_cache_bytes),
            fits.clamp(1, PIECE),
        ));
    }
    if forecast.plan_binlog_bytes > limits.binlog_cache_bytes {
        advice.push(format!(
            "the plan writes {} to the binary log in one statement, and max_binlog_cache_size is {}: raise it, or move a part at \
             a time with --only-prefix",
            BinaryBytes(forecast.plan_binlog_bytes),
            BinaryBytes(limits.binlog_cache_bytes),
        ));
    }
    if let Some(locks) = largest.lock_bytes.filter(|locks| *locks > limits.buffer_pool_bytes / LOCKS_OF_POOL) {
        advice.push(format!(
            "row locks take {} of the buffer pool of {}: give --transaction-rows {PIECE}",
            BinaryBytes(locks),
            BinaryBytes(limits.buffer_pool_bytes),
        ));
    }
    if largest.elapsed > LONG && advice.is_empty() {
        advice.push(format!(
            "rows stay locked for about {}, and replicas lag as long: give --transaction-rows {PIECE}, with --replica-url",
            duration(largest.elapsed),
        ));
    }
    let keyless = moving.iter().filter(|of| server.log_bin && of.sizes.is_some_and(|sizes| sizes.key.is_none()));
    for of in keyless.filter(|of| of.rows > PIECE) {
        advice.push(format!(
            "`{}` has no primary key: a replica reads the table for each of {} rows, unless it has another unique key",
            printable(&of.name.table),
            HumanCount(of.rows),
        ));
    }
    advice
}

impl Weight {
    fn of_all(moving: &[MovingRows], named: NamedObjects, growth: f64, server: &ServerFacts) -> Self {
        let rows: f64 = moving.iter().map(|of| float(of.rows)).sum();
        let average = |weight: &dyn Fn(&MovingRows, RowSizes) -> Option<f64>| {
            let of_one = |of: &MovingRows| Some(weight(of, of.sizes?)? * float(of.rows));
            let known: Option<Vec<f64>> = moving.iter().filter(|of| of.rows > 0).map(of_one).collect();
            known.map(|sums| sums.iter().sum::<f64>() / rows.max(1.0))
        };
        let inno = |of: &MovingRows, bytes: f64| of.innodb.then_some(bytes);
        let log = |_: &MovingRows, sizes: RowSizes| {
            Some(images(sizes, growth, &server.binlog_row_image)? + journal_line(sizes))
        };
        let (frame, image, path) = REDO;
        let ledger_pages = ledger_row_images(named) / rows.max(1.0);
        Self {
            binlog: if server.log_bin { average(&log) } else { Some(0.0) },
            undo: average(&|of, sizes| inno(of, UNDO_FRAME + sizes.path + sizes.key.unwrap_or(6.0))),
            redo: average(&|of, sizes| inno(of, frame + image * sizes.image + path * sizes.path)),
            locks: average(&|of, sizes| {
                inno(of, (sizes.image + ROW_FRAME + ledger_pages) / PAGE_BYTES * LOCK_BYTES_A_PAGE)
            }),
            journal_on_disk: average(&|_, sizes| Some(journal_line(sizes) + ROW_FRAME)),
        }
    }

    fn transaction(self, rows: u64) -> TransactionForecast {
        let bytes = |of_row: Option<f64>| of_row.map(|of_row| whole(of_row * float(rows)));
        TransactionForecast {
            rows,
            elapsed: Duration::from_secs_f64(float(rows) / ROWS_A_SECOND),
            binlog_bytes: bytes(self.binlog),
            undo_bytes: bytes(self.undo),
            redo_bytes: bytes(self.redo),
            lock_bytes: bytes(self.locks),
        }
    }
}

/// The two images of an updated row; `None` for a kind of image that is not known here.
fn images(sizes: RowSizes, growth: f64, kind: &str) -> Option<f64> {
    let RowSizes { image, without_blobs, key, changed, is_blob, .. } = sizes;
    let (before, after) = match (kind, key) {
        // A row without a key is found by all its columns.
        (_, None) => (image, image),
        ("FULL", _) => (image, image),
        ("FULL_NODUP", _) => (image, changed),
        ("MINIMAL", Some(key)) => (key, changed),
        ("NOBLOB", _) => (without_blobs, without_blobs + if is_blob { changed } else { 0.0 }),
        _ => return None,
    };
    Some(before + after + growth)
}

/// A line of the journal (`sql/ledger/005_row_change.sql`).
fn journal_line(sizes: RowSizes) -> f64 {
    // Bits for NULL, three numbers, and the lengths of two texts.
    1.0 + 8.0 + 8.0 + 4.0 + 4.0 + sizes.row_key + sizes.path
}

/// The lines of `am_plan`: the two keys of each object. URLs take as much again (`am_url`), which is not foretold.
fn plan_lines(named: NamedObjects) -> f64 {
    22.0 * float(named.objects) + float(named.key_bytes)
}

/// What plan and evidence write, in bytes of binary log and of disk: a line of `am_plan` and one of `am_object` each.
fn ledger_lines(named: NamedObjects) -> (f64, f64) {
    let keys = float(named.key_bytes);
    let objects = float(named.objects);
    let path = plan_lines(named);
    let object = object_lines(named);
    // The index by state holds the source's key, too.
    let entries = 33.0 * objects + keys * 0.5;
    (path + object, path + object + entries + 2.0 * ROW_FRAME * objects)
}

/// Evidence is written as values of an INSERT, whose text the server logs too (`binlog_annotate_row_events`): keys, ETags, and
/// some 92 bytes for the rest (205 measured with keys of 49).
fn annotations(named: NamedObjects) -> f64 {
    (90.0 + 2.0 * ETAG_BYTES) * float(named.objects) + float(named.key_bytes)
}

/// The lines of `am_object`: bits for NULL and seven numbers, the lengths of two keys, a few words, ETags and keys.
fn object_lines(named: NamedObjects) -> f64 {
    (28.0 + 4.0 + 17.0 + 2.0 * ETAG_BYTES) * float(named.objects) + float(named.key_bytes)
}

/// The images of the lines that the cutover locks beside the rows.
fn ledger_row_images(named: NamedObjects) -> f64 {
    object_lines(named) + ROW_FRAME * float(named.objects)
}

fn described(of: &MovingRows) -> RowsForecast {
    let row_bytes = of.sizes.map(|sizes| whole(sizes.image));
    RowsForecast { reference: of.name.to_string(), rows: of.rows, row_bytes }
}

#[expect(clippy::cast_precision_loss, reason = "an estimate")]
fn float(count: u64) -> f64 {
    count as f64
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an estimate, and never negative")]
fn whole(bytes: f64) -> u64 {
    bytes.max(0.0).round() as u64
}

#[cfg(test)]
mod tests;
