//! x
pub mod check;
pub mod cli;
pub mod config;
pub mod copy;
pub mod cutover;
pub mod database;
pub mod failure;
pub mod finding;
pub mod pace;
pub mod path;
pub mod plan;
pub mod report;
pub mod spool;
pub mod store;
pub mod verify;
