//! x
pub mod config;
pub mod database;
pub mod failure;
pub mod finding;
pub mod path;
pub mod store;
