//! Moves files between S3 buckets while a MariaDB database points at them: nothing lost, nobody sees a broken image.
//!
//! ```text
//! rows ──> plan ──> copy ──> check ──> cutover            phase one:  avatarMigrate copy
//! rows + buckets ──> verify ──> report                    any time:   avatarMigrate verify --report out.csv
//! verify (afresh) ──> orphans ──> delete                  phase two:  avatarMigrate finalize
//! journal ──> objects ──> rows                            the way back:  avatarMigrate rollback
//! ```
//!
//! Nothing flows backwards. The work list comes from the database, never from the bucket; rows and buckets are the only
//! truth, and every decision is proved from them in the same run. What the program promises:
//!
//! 1. **Resolve.** At every instant each in-scope row resolves to an object with the bytes that it had, or newer ones.
//! 2. **No overwrite.** A target with other content is never overwritten, but for the migration's own stale copies,
//!    and one that a person orders with `resolve`, put aside first.
//! 3. **No early delete.** Sources go only after a fresh proof of zero legacy paths, each with a checked twin, conditionally.
//! 4. **Compare and set.** A row changes only if it still holds, byte for byte, the path that was planned.
//! 5. **One transaction.** All rows of a cutover change together with their journal lines, or none does.
//! 6. **Again.** Every command can be killed anywhere and run again: it converges.
//! 7. **Alone.** Two writing runs on one schema exclude each other.
//! 8. **Undo.** Exactly the rows that were changed go back, each only after its source was seen; what cannot is said before.
//! 9. **No secrets out.** None in logs, reports, errors or the arguments of children.
//! 10. **The ledger never decides.** Its facts count only while the live ETag equals the recorded one.
//!
//! A module uses only those above it in this list (`tests/tidy` keeps it so).

pub mod path;
pub mod failure;
pub mod finding;
pub mod config;
pub mod spool;
pub mod pace;
pub mod store;
pub mod database;
pub mod plan;
pub mod check;
pub mod copy;
pub mod cutover;
pub mod verify;
pub mod finalize;
pub mod rollback;
pub mod report;
pub mod operate;
pub mod run;
pub mod cli;
