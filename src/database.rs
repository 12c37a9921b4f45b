//! MariaDB: sessions, the run lock, references, the ledger; one function per file in `sql/`.
//!
//! Only this room names `sqlx`. Values are always bound; identifiers and literals of settings are quoted in one place.

mod blocked;
mod column;
mod crew;
mod decisions;
mod examine;
mod fence;
mod granting;
mod grants;
mod history;
mod journal;
mod ledger;
mod load;
mod ledger_name;
mod lock;
mod moved;
mod named;
mod objects;
mod planning;
mod prune;
mod preflight;
mod right;
mod row_range;
mod row_sizes;
mod rows;
mod schema;
mod server;
mod session;
mod sql;
mod standing;
mod survey;
mod transaction;
mod undo;
mod unfinished;
mod view;

pub use blocked::count_blocked_rows;
pub use column::{Content, KeyColumn, TextColumn, UniquePart};
pub use crew::{
    Crew, CrewState, Found, Lease, LeaseLost, Progress, SharedSource, Stage, Tally, Task, Waiting, Worker,
    WorkerRecord, range_objects,
};
pub use decisions::{Decision, Decisions};
pub use examine::{
    GeneratedColumn, MissingForLedger, Replica, Trigger, generated_columns, missing_for_ledger, replica,
    session_cipher, update_triggers,
};
pub use fence::{
    Fence, FenceEnd, FenceKind, FenceSizes, add_fences, drop_fences, fence_sizes, fenced_columns, fences_in_place,
    read_fences,
};
pub use granting::{Grants, LedgerUse};
pub use history::{Recorded, RowMove};
pub use journal::{KeyRange, Piece, Turn, move_rows, next_boundary};
pub use ledger::{CutOff, Ledger};
pub use ledger_name::LedgerName;
pub use load::{Lag, replica_lag, threads_running};
pub use lock::{Activity, RunLock, lock_holder};
pub use moved::MovedSince;
pub use objects::{LedgerObject, ObjectMark, ObjectState};
pub use planning::{Part, count_planned, plan_rows};
pub use preflight::{check_privileges, preflight, preflight_undo, schema_reasons};
pub use prune::{Lines, Prunable, Through};
pub use right::MayWrite;
pub use row_range::RowRange;
pub use row_sizes::{RowSizes, row_sizes};
pub use rows::{CandidateRow, Candidates, ClearCounts, count_clear, for_each_candidate};
pub use schema::text_columns;
pub use server::{ServerFacts, check_can_share, server_facts};
pub use session::Database;
pub use standing::{LastCutover, RunRecord};
pub use survey::{ClassCounts, ColumnSurvey, Role, check_names, references, role, survey, survey_without};
pub use transaction::Tries;
pub(crate) use undo::refused_by_schema;
pub use undo::{PutBack, SourceState, Undo, UndoCounts};
pub use unfinished::unfinished_finalize;
pub use view::LedgerView;
